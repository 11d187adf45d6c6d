#!/usr/bin/perl
# Runs the examples of the documentation: every ```sql block of a page, in order, in a database of the
# page's own (roles that it makes go with it). A ```text block right behind one must be exactly what psql printed for it.
# usage: docs.pl PSQL PAGE…     (the server is that of PGHOST; exits 1 when an example differs)
use strict;
use warnings;

my ($psql, @pages) = @ARGV;
my ($passed, $failed) = (0, 0);

# The page's examples: [line, sql, expected output or undef].
sub examples {
    my ($page) = @_;
    open my $in, '<', $page or die "$page: $!";
    my (@found, $kind, $text, $start);
    my $adjacent = 0;
    while (my $line = <$in>) {
        if (defined $kind) {
            if ($line =~ /^```\s*$/) {
                if ($kind eq 'sql') { push @found, [$start, $text, undef]; $adjacent = 1; }
                elsif ($kind eq 'text' && $adjacent) { $found[-1][2] = $text; $adjacent = 0; }
                undef $kind;
            } else { $text .= $line; }
        } elsif ($line =~ /^```(\w*)/) {
            ($kind, $text, $start) = ($1, '', $. + 1);
            $adjacent = 0 if $kind ne 'text';
        } elsif ($line =~ /\S/) { $adjacent = 0; }
    }
    close $in;
    return @found;
}

# The roles of the server: those that a page makes go with its database.
sub roles { return split /\n/, `$psql -qXAt -c 'SELECT rolname FROM pg_roles'`; }

sub run_page {
    my ($page) = @_;
    my @examples = examples($page) or return;
    my %before = map { $_ => 1 } roles();
    system($psql, '-qX', '-c', 'CREATE DATABASE docs') == 0 or die;
    my $script = "/tmp/docs.$$.sql";
    open my $out, '>', $script or die "$script: $!";
    print $out "\\set ON_ERROR_STOP off\n\\pset pager off\n";
    for my $number (0 .. $#examples) {
        print $out "\\echo \@\@$number\n$examples[$number][1]\n";
    }
    close $out;
    chmod 0644, $script;
    my $output = `$psql -qX -d docs -f $script 2>&1`;
    unlink $script;
    system($psql, '-qX', '-c', 'DROP DATABASE docs') == 0 or die;
    system($psql, '-qX', '-c', "DROP ROLE \"$_\"") == 0 or die for grep { !$before{$_} } roles();
    my %printed;
    my @parts = split /^\@\@(\d+)\n/m, $output;
    shift @parts;
    while (@parts) { my $number = shift @parts; $printed{$number} = shift @parts; }
    for my $number (0 .. $#examples) {
        my ($line, $sql, $expected) = @{$examples[$number]};
        my $got = $printed{$number} // '';
        # psql prefixes errors of a file with its name and line; a person at the prompt doesn't see that.
        $got =~ s/^psql:[^:]+:\d+: //mg;
        $got =~ s/\s+\z/\n/; $got = '' if $got eq "\n";
        my $problem;
        if (defined $expected) {
            $expected =~ s/\s+\z/\n/;
            s/[ \t]+$//mg for ($expected, $got);
            $problem = "printed\n$got\ninstead of\n$expected" if $got ne $expected;
        } elsif ($got =~ /^ERROR:/m) { $problem = $got; }
        if ($problem) { $failed++; print "not ok $page:$line\n$problem\n"; }
        else { $passed++; }
    }
}

run_page($_) for @pages;
print "$passed passed, $failed failed\n";
exit($failed ? 1 : 0);
