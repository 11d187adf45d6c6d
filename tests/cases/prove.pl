#!/usr/bin/perl
# Proves the labels of the case table by running every case, without the extension: the old program's
# statements must work before the up, and exactly those labelled as breaking must have one that fails (or reads
# another type) after it; the judge looks at the rows for what is lost. A contradiction fails.
# usage: prove.pl PSQL CASEFILE…     (the server is that of PGHOST)
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cases;

my ($psql, @files) = @ARGV;
my @cases = Cases::read_files(@files);
my $database = "cases_proof_$$";

sub as_role { return "RESET ROLE;\nSET LOCAL search_path = app;\nSET LOCAL ROLE $_[0];\n"; }

# The statements of the old program, each alone: its columns and whether it runs.
sub clients {
    my ($case, $stage) = @_;
    my $text = '';
    my $number = 0;
    for my $client (@{$case->{clients}}) {
        my ($role, $statement) = @$client;
        (my $described = $statement) =~ s/;\s*\z//;
        $text .= "\\echo \@\@$stage-$number\nSAVEPOINT client;\n" . as_role($role // $case->{owner})
            . "$described \\gdesc\nROLLBACK TO client;\n" . as_role($role // $case->{owner})
            . "\\o /dev/null\n$statement\nSET CONSTRAINTS ALL IMMEDIATE;\n\\o\nROLLBACK TO client;\n";
        $number++;
    }
    return $text;
}

sub script {
    my ($case) = @_;
    my $owner = as_role($case->{owner});
    my $text = "\\echo \@\@case\nBEGIN;\nCREATE SCHEMA app AUTHORIZATION $case->{owner};\nGRANT USAGE ON SCHEMA app TO cases_reader, cases_writer;\n"
        . "\\o /dev/null\n$owner" . ($case->{before} // '') . "\nSET CONSTRAINTS ALL IMMEDIATE;\nSET CONSTRAINTS ALL DEFERRED;\n\\o\n";
    if ($case->{expect_refused}) {
        # EXECUTE in PL/pgSQL says what a transaction of the upgrade would say.
        (my $quoted = $case->{up}) =~ s/'/''/g;
        $quoted =~ s/\\/\\\\/g;
        return $text . "RESET ROLE;\n\\echo \@\@refused\nDO \$refused\$ BEGIN EXECUTE E'$quoted'; END \$refused\$;\nROLLBACK;\n";
    }
    my $look = sub { "RESET ROLE;\nSET LOCAL search_path = pg_catalog;\nSELECT judge.take('$_[0]') \\g /dev/null\n" };
    $text .= $look->('before') . clients($case, 'before')
        . "$owner\\echo \@\@up\n\\o /dev/null\n$case->{up}\n;SET CONSTRAINTS ALL IMMEDIATE;\n\\o\n\\echo \@\@up-end\n"
        . $look->('up') . clients($case, 'after')
        . "\\echo \@\@loss\nSELECT what, object, amount FROM judge.lost('before', 'up', 'all');\n";
    if (defined $case->{down}) {
        $text .= "$owner\\echo \@\@later\n\\o /dev/null\n" . ($case->{later} // '') . "\nSET CONSTRAINTS ALL IMMEDIATE;\n\\o\n" . $look->('later')
            . "$owner\\echo \@\@down\n\\o /dev/null\n$case->{down}\n;SET CONSTRAINTS ALL IMMEDIATE;\n\\o\n\\echo \@\@down-end\n" . $look->('down')
            . "\\echo \@\@down-loss\nSELECT what, object, amount FROM judge.lost('later', 'down', 'before');\n"
            . "\\echo \@\@new-loss\nSELECT what, object, 'new' FROM judge.lost('later', 'down', 'new');\n";
    }
    return "$text\\echo \@\@end\nROLLBACK;\n";
}

# What psql printed of each part.
sub parts {
    my %part;
    my @pieces = split /^\@\@(\S+)\n/m, $_[0];
    shift @pieces;
    while (@pieces) { my $name = shift @pieces; $part{$name} = shift @pieces // ''; }
    return \%part;
}

sub first_error { return $_[0] =~ /ERROR:  (\w{5}: [^\n]*)/ ? $1 : undef; }

# The columns that \gdesc printed, without lengths.
sub columns {
    my %type;
    for (split /\n/, $_[0]) { $type{$1} = $2 if /^(.+)\|([^|]+)$/ && !/^psql:/; }
    s/\(\d+(?:,\d+)?\)//g for values %type;
    return \%type;
}

# The statement that broke, or nothing.
sub broken {
    my ($case, $part, $problems) = @_;
    my $witness;
    for my $number (0 .. $#{$case->{clients}}) {
        my ($before, $after) = ($part->{"before-$number"} // '', $part->{"after-$number"} // '');
        my ($statement) = $case->{clients}[$number][1] =~ /(\S[^\n]*)/;
        if (my $error = first_error($before)) { push @$problems, "the old program fails before the up: $statement: $error"; next; }
        my $error = first_error($after);
        my ($old, $new) = (columns($before), columns($after));
        for (sort keys %$old) { $error //= "column $_ was $old->{$_}, is " . ($new->{$_} // 'gone') if ($new->{$_} // '') ne $old->{$_}; }
        $witness //= "$statement: $error" if $error;
    }
    return $witness;
}

my %word = (map({ $_ => 'rows' } qw(table_dropped table_truncated rows_deleted)), map({ $_ => 'values' } qw(column_dropped
    column_type_narrowed column_overwritten)), sequence_dropped => 'sequence', sequence_reset => 'sequence', large_objects_deleted => 'large_object');

sub compare_loss {
    my ($case, $question, $found, $problems) = @_;
    my @expected = sort map { "$word{$_->{kind}}|$_->{object}|$_->{count}" } @{$case->{"expect_$question"}};
    my %found = map { $_ => 1 } grep { /\S/ && !/^psql:/ } split /\n/, $found;
    # `some`: the number can't be told in one word; any will do.
    for (@expected) {
        if (/^(.*)\|some$/) { my $stem = $1; for my $is (keys %found) { if ($is =~ /^\Q$stem\E\|/) { delete $found{$is}; $_ = ''; last } } }
    }
    # New values of a column are lost with the column, whatever was counted before it; new rows likewise.
    my %counted = map { /^(.*)\|(?:\d+)$/ ? ($1 => 1) : () } @expected;
    delete $found{"$_|new"} for keys %counted;
    my @missing = grep { $_ && !delete $found{$_} } @expected;
    push @$problems, "$question: not lost: $_" for @missing;
    push @$problems, "$question: lost, but not labelled: $_" for sort keys %found;
}

my %refusal = (forbidden_in_transaction => qr/^25001/, transaction_control => qr/^2D000|^0A000: EXECUTE of transaction/,
    copy_client => qr/^0A000: cannot COPY/, syntax => qr/^(?:42601|22025|42P02|22P02)/, psql_meta => qr/^42601/, enum_value_use => qr/^55P04/,
    pending_trigger_events => qr/^55006/);

sub verdict {
    my ($case, $part) = @_;
    my @problems;
    if (my $error = first_error($part->{case} // '')) { return "the case can't be set up: $error"; }
    if (my $kind = $case->{expect_refused}) {
        my $error = first_error($part->{refused} // '') // 'none';
        return if $kind eq 'other';
        return $refusal{$kind} && $error =~ $refusal{$kind} ? () : "refused as $kind, but the server says: $error";
    }
    my $failure = first_error($part->{up} // '');
    if ($case->{expect_fails}) {
        return ($failure // '') =~ /^$case->{expect_fails}/ ? () : 'the up must fail with ' . $case->{expect_fails} . ', it says ' . ($failure // 'nothing');
    }
    return "the up fails: $failure" if $failure;
    my $witness = broken($case, $part, \@problems);
    if (!$case->{by_rule}{breaking}) {
        push @problems, 'labelled as breaking, but the old program goes on' if @{$case->{expect_breaking}} && !$witness;
        push @problems, "not labelled as breaking, but: $witness" if !@{$case->{expect_breaking}} && $witness;
    }
    push @problems, 'no statement of an old program' if !@{$case->{clients}};
    compare_loss($case, 'loss', $part->{loss} // '', \@problems) unless $case->{by_rule}{loss};
    for my $of (qw(up-end loss later down down-end down-loss new-loss)) {
        my $error = first_error($part->{$of} // '');
        push @problems, "$of fails: $error" if $error;
    }
    if (defined $case->{down} && !$case->{by_rule}{down}) {
        compare_loss($case, 'down', ($part->{'down-loss'} // '') . ($part->{'new-loss'} // ''), \@problems);
    }
    return @problems;
}

system($psql, '-qX', '-c', "CREATE DATABASE $database") == 0 or die "no database\n";
my $file = "/tmp/$database.sql";
open my $out, '>', $file or die "$file: $!";
print $out "\\set VERBOSITY verbose\n\\set SHOW_CONTEXT never\n\\pset pager off\nSET client_min_messages = error;\n";
print $out "\\i $FindBin::Bin/judge.sql\n", <<"EOF_ROLES";
SELECT format('CREATE ROLE %I', r) FROM unnest(ARRAY['cases_owner', 'cases_reader', 'cases_writer']) r
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) \\gexec
SELECT format('GRANT CREATE ON DATABASE %I TO cases_owner', current_database()) \\gexec
EOF_ROLES
print $out script($_) for @cases;
close $out;
chmod 0644, $file;
my $output = `$psql -qXAt -d $database -f $file 2>&1`;
unlink $file unless $ENV{KEEP};
system($psql, '-qX', '-c', "DROP DATABASE $database");
my @outputs = split /^\@\@case\n/m, $output;
my $preamble = shift @outputs;
die "preparing failed: $preamble" if first_error($preamble);
my $wrong = 0;
for my $number (0 .. $#cases) {
    my $case = $cases[$number];
    my @problems = verdict($case, parts("\@\@case\n" . ($outputs[$number] // '')));
    next unless @problems;
    $wrong++;
    print "not ok $case->{file}:$case->{line}: $case->{name}\n", map { "    $_\n" } @problems;
}
printf "%d cases proved, %d contradicted\n", @cases - $wrong, $wrong;
exit($wrong ? 1 : 0);
