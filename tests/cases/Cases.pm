# Reads the case files. What they hold is told in README.md.
package Cases;
use strict;
use warnings;

my %section = map { $_ => 1 } qw(before up down later client expect owner);
our %lossy = map { $_ => 1 } qw(table_dropped table_truncated rows_deleted column_dropped column_type_narrowed
    column_overwritten sequence_dropped sequence_reset large_objects_deleted);

# All cases of some files: name, file, sections, expectations, clients as [role, statement].
sub read_files {
    my @cases;
    for my $file (@_) {
        open my $in, '<', $file or die "$file: $!";
        my ($case, $at, $role);
        while (my $line = <$in>) {
            if ($line =~ /^== (.+?)\s*$/) {
                $case = { name => $1, file => $file, line => $., clients => [], owner => 'cases_owner' };
                push @cases, $case;
                $at = undef;
            } elsif ($line =~ /^\@(\w+)(?:\s+as\s+(\w+))?\s*$/ && $section{$1}) {
                ($at, $role) = ($1, $2);
                die "$file:$.: a section outside a case\n" unless $case;
                if ($at eq 'owner') { $case->{owner} = $role; $at = undef; }
                elsif ($at ne 'client') { $case->{$at} = '' unless defined $case->{$at}; }
            } elsif (!defined $at) {
                die "$file:$.: neither a case nor a comment\n" if $line =~ /\S/ && $line !~ /^#/;
            } elsif ($at eq 'client') {
                $case->{open} .= $line;
                if ($line =~ /;\s*$/) {
                    push @{$case->{clients}}, [$role, delete $case->{open}];
                }
            } else { $case->{$at} .= $line; }
        }
        close $in;
    }
    expectations($_) for @cases;
    my %seen;
    $seen{$_->{name}}++ and die "$_->{file}:$_->{line}: the name is taken: $_->{name}\n" for @cases;
    return @cases;
}

# What the case must yield: `key: value; value`.
sub expectations {
    my ($case) = @_;
    my %expect;
    my $where = "$case->{file}:$case->{line}";
    for my $line (split /\n/, $case->{expect} // '') {
        next if $line =~ /^\s*(?:#.*)?$/;
        $line =~ /^(loss|down|breaking|dangerous|bump|refused|fails|rule): (.+?)\s*$/ or die "$where: can't read: $line\n";
        $expect{$1} = $2;
    }
    for my $kind (qw(loss down)) {
        my @entries;
        for my $entry (split /;\s*/, $expect{$kind} // '') {
            if ($entry eq 'unrestored') { $case->{unrestored} = 1; next; }
            $entry =~ /^(\w+)\s+(.+?)\s+(\d+|new|some)$/ && $lossy{$1} or die "$where: can't read loss: $entry\n";
            push @entries, { kind => $1, object => $2, count => $3 };
        }
        $case->{"expect_$kind"} = \@entries;
    }
    $case->{"expect_$_"} = [split /[\s,]+/, $expect{$_} // ''] for qw(breaking dangerous);
    $case->{"expect_$_"} = $expect{$_} for qw(bump refused fails);
    # `rule: loss, breaking: …` names what execution can't show, and the rule that decides it.
    if ($expect{rule}) {
        $expect{rule} =~ /^((?:loss|down|breaking)(?:, (?:loss|down|breaking))*): / or die "$where: can't read the rule\n";
        $case->{by_rule}{$_} = 1 for split /, /, $1;
    }
    die "$where: no up\n" unless defined $case->{up};
    return if $expect{refused} || $expect{fails};
    my $bump = $expect{bump} // die "$where: no bump\n";
    my $must = @{$case->{expect_loss}} || @{$case->{expect_breaking}} ? 'major' : @{$case->{expect_dangerous}} ? 'minor' : '';
    die "$where: the bump can't be $bump\n" if ($must eq 'major') != ($bump eq 'major') || $must eq 'minor' && $bump ne 'minor';
}

1;
