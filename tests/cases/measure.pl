#!/usr/bin/perl
# Measures the extension on the case table: every case becomes a module (row and schema layout in turn) with its
# tables and rows, add_migration gets its scripts, rehearse_migration runs them, and what both say is compared
# with the labels. Prints true and false findings, precision and recall of each question and every wrong case;
# fails below the bounds.
# usage: measure.pl PSQL CASEFILE…     (the server is that of PGHOST)
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use Cases;

my ($psql, @files) = @ARGV;
my @cases = Cases::read_files(@files);
my $workers = 2;
my $json = JSON::PP->new;
# The least precision and recall of each question (bump, refusals, failures: the share that is right).
my %bound = (loss => [0.90, 1.00], down => [0.90, 1.00], breaking => [0.95, 0.98], bump => [0.96], refused => [1.00], fails => [1.00]);

sub text { my $tag = '$case_script$'; return defined $_[0] ? "$tag$_[0]$tag" : 'NULL'; }

# The module of a case, its schema and rows. Scripts that name the schema need the layout in which it has that name.
sub module {
    my ($number, $case) = @_;
    my $row = $number % 2 == 0 || join(' ', map { $case->{$_} // '' } qw(before up down)) =~ /\bapp\b/i;
    my $layout = $row ? 'row' : 'schema';
    my $text = "SELECT id AS module FROM module_versioning.register_module('app', isolation => '$layout', owner_role => '$case->{owner}') \\gset\n"
        . "SELECT count(module_versioning.publish_version(id)) AS x FROM module_versioning.create_version(:'module', '1.0.0') \\gset\n"
        . "SELECT id AS x FROM module_versioning.create_version(:'module', '2.0.0') \\gset\n";
    $text .= "SELECT id AS site FROM module_versioning.register_site('site') \\gset\n"
        . "SELECT status AS x FROM module_versioning.install_module(:'site', :'module', '1.0.0') \\gset\n" unless $row;
    my $schema = $row ? 'app' : 'app_site';
    $text .= "CREATE SCHEMA IF NOT EXISTS $schema AUTHORIZATION $case->{owner};\nGRANT USAGE ON SCHEMA $schema TO cases_reader, cases_writer;\n"
        . "SET LOCAL search_path = $schema;\nSET LOCAL ROLE $case->{owner};\n\\o /dev/null\n" . ($case->{before} // '')
        . "\n\\o\nSET CONSTRAINTS ALL IMMEDIATE;\nSET CONSTRAINTS ALL DEFERRED;\nRESET ROLE;\nSET LOCAL search_path = pg_catalog;\n";
    return ($text, $row ? 'NULL' : ":'site'");
}

sub script {
    my ($number, $case) = @_;
    my ($module, $site) = module($number, $case);
    my ($up, $down) = (text($case->{up}), text($case->{down}));
    return "\\echo \@\@$number setup\nBEGIN;\n$module\\echo \@\@$number registration\nSAVEPOINT registration;\n"
        . "SELECT id AS x FROM module_versioning.add_migration(:'module', '2.0.0', $up, $down) \\gset\nROLLBACK TO registration;\n"
        . "\\echo \@\@$number rehearsal\n" . ($case->{expect_refused} ? '' : "SELECT to_jsonb(r) FROM module_versioning.rehearse_migration(:'module', $up, $down, $site) r;\n")
        . "ROLLBACK;\n";
}

# Runs every $workers-th case in a database of its own; the output goes to a file.
sub run_share {
    my ($share) = @_;
    my $database = "cases_${share}_$$";
    my $file = "/tmp/$database.sql";
    system($psql, '-qX', '-c', "CREATE DATABASE $database") == 0 or die "no database\n";
    open my $out, '>', $file or die "$file: $!";
    print $out "\\set VERBOSITY verbose\n\\set SHOW_CONTEXT never\n\\pset pager off\nSET client_min_messages = error;\n",
        "CREATE EXTENSION module_versioning;\nSELECT format('GRANT CREATE ON DATABASE %I TO cases_owner', current_database()) \\gexec\n";
    for my $number (grep { $_ % $workers == $share } 0 .. $#cases) { print $out script($number, $cases[$number]); }
    close $out;
    chmod 0644, $file;
    open my $pipe, '-|', "$psql -qXAt -d $database -f $file 2>&1; $psql -qX -c 'DROP DATABASE $database'; rm -f " . ($ENV{KEEP} ? '' : $file) or die;
    return $pipe;
}

sub first_error { return ($_[0] // '') =~ /ERROR:  (\w{5}: [^\n]*(?:\n(?:DETAIL|HINT):[^\n]*)*)/ ? $1 : undef; }

my %refusal = (forbidden_in_transaction => qr/^25001/, transaction_control => qr/^2D000/, copy_client => qr/^0A000: .*COPY/,
    syntax => qr/^42601/, psql_meta => qr/^42601.*psql/s, enum_value_use => qr/^55P04/, pending_trigger_events => qr/^55006/, other => qr/^(?:0A000|42501|55000)/);

my (%score, @wrong, %detail);
sub count {
    my ($question, $case, $expected, $got, $note) = @_;
    my $cell = $expected ? ($got ? 'tp' : 'fn') : ($got ? 'fp' : 'tn');
    $score{$question}{$cell}++;
    push @wrong, [$case, "$question: " . ($expected ? 'missed' : 'false alarm') . ": $note"] if $cell =~ /f/;
}
sub right {
    my ($question, $case, $right, $note) = @_;
    $score{$question}{$right ? 'right' : 'wrong'}++;
    push @wrong, [$case, "$question: $note"] unless $right;
}

sub named { my ($list) = @_; return join('; ', map { join ' ', grep { defined } @$_{qw(kind object rows values)} } @{$list // []}) || 'nothing'; }

# Whether each labelled loss is told with its object and number, and no other: a stricter question, without bound.
sub details {
    my ($question, $expected, $got) = @_;
    my %left;
    for my $finding (@{$got // []}) {
        (my $object = $finding->{object} // '') =~ s/^(?:app|app_site)\.//;
        $object =~ s/"((?:[^"]|"")*)"/(my $name = $1) =~ s,"",",g; $name/ge;
        $left{$object} = ($finding->{values} // 0) || ($finding->{rows} // 0);
    }
    my $exact = 1;
    for (@$expected) {
        my $amount = delete $left{$_->{object}};
        $exact = 0 if !defined $amount || $_->{count} =~ /^\d+$/ && $amount != $_->{count} && $_->{kind} !~ /^sequence/;
    }
    $exact = 0 if keys %left;
    $detail{$question}{$exact ? 'right' : 'wrong'}++;
    return $exact;
}

sub judge {
    my ($case, $part) = @_;
    if (my $error = first_error($part->{setup})) { $score{setup}{wrong}++; push @wrong, [$case, "can't be set up: $error"]; return; }
    my $refusal = first_error($part->{registration});
    my $kind = $case->{expect_refused};
    right('refused', $case, $kind ? ($refusal // '') =~ ($refusal{$kind} // qr/^\b$/) : !$refusal, 'expected ' . ($kind // 'none') . ', got ' . ($refusal // 'none'));
    return if $kind;
    my ($line) = ($part->{rehearsal} // '') =~ /^(\{.*\})$/m;
    my $r = $line ? eval { $json->decode($line) } : undef;
    if (!$r) { $score{rehearsed}{wrong}++; return push @wrong, [$case, 'no rehearsal: ' . (first_error($part->{rehearsal}) // '?')]; }
    $score{rehearsed}{right}++;
    my $said = ($r->{sqlstate} // '') . ' ' . ($r->{error_message} // '');
    if (my $fails = $case->{expect_fails}) { return right('fails', $case, !$r->{ok} && ($r->{sqlstate} // '') eq $fails, "expected $fails, got $said"); }
    right('fails', $case, $r->{ok}, "expected to run, got $said");
    count('loss', $case, scalar @{$case->{expect_loss}}, scalar @{$r->{data_loss} // []}, named($r->{data_loss}));
    details('loss', $case->{expect_loss}, $r->{data_loss}) or $ENV{DETAILS} && print "loss $case->{name}: ", named($r->{data_loss}), ' instead of ', join('; ', map { "$_->{kind} $_->{object} $_->{count}" } @{$case->{expect_loss}}), "\n";
    if (defined $case->{down} && !($case->{unrestored} && !@{$case->{expect_down}})) {
        count('down', $case, scalar @{$case->{expect_down}}, scalar @{$r->{down_data_loss} // []}, named($r->{down_data_loss}));
        details('down', $case->{expect_down}, $r->{down_data_loss}) or $ENV{DETAILS} && print "down $case->{name}: ", named($r->{down_data_loss}), ' instead of ', join('; ', map { "$_->{kind} $_->{object} $_->{count}" } @{$case->{expect_down}}), "\n";
    }
    count('breaking', $case, scalar @{$case->{expect_breaking}}, scalar @{$r->{breaking_changes} // []}, @{$case->{expect_breaking}} ? "@{$case->{expect_breaking}}" : named($r->{breaking_changes}));
    right('bump', $case, ($r->{suggested_bump} // '') eq $case->{expect_bump}, "expected $case->{expect_bump}, got " . ($r->{suggested_bump} // 'none'));
    my %told = map { $_->{kind} => 1 } @{$r->{breaking_changes} // []};
    my %changed = map { $_->{kind} => 1 } @{$r->{schema_changes} // []}, @{$r->{data_loss} // []};
    for my $want (@{$case->{expect_dangerous}}) {
        $detail{dangerous}{$changed{$want} ? 'right' : 'wrong'}++;
        print "dangerous $case->{name}: $want not among ", join(' ', sort keys %changed), "\n" if $ENV{DETAILS} && !$changed{$want};
    }
    for my $want (@{$case->{expect_breaking}}) {
        $detail{kinds}{$told{$want} ? 'right' : 'wrong'}++;
        print "kind $case->{name}: $want not among ", join(' ', sort keys %told), "\n" if $ENV{DETAILS} && !$told{$want};
    }
}

system("$psql -qXAt -c \"SELECT format('CREATE ROLE %I;', r) FROM unnest(ARRAY['cases_owner', 'cases_reader', 'cases_writer']) r WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r)\" | $psql -qX") == 0 or die "no roles\n";
my $started = time;
my @pipes = map { run_share($_) } 0 .. $workers - 1;
my %output;
for my $pipe (@pipes) {
    my ($number, $part);
    while (my $line = <$pipe>) {
        if ($line =~ /^\@\@(\d+) (\w+)$/) { ($number, $part) = ($1, $2); }
        elsif (defined $number) { $output{$number}{$part} .= $line; }
        elsif ($line =~ /ERROR/) { print $line; }
    }
    close $pipe;
}
judge($cases[$_], $output{$_} // {}) for 0 .. $#cases;

my $last = '';
for (@wrong) {
    my ($case, $problem) = @$_;
    print "not ok $case->{file}:$case->{line}: $case->{name}\n" if $case->{name} ne $last;
    $last = $case->{name};
    print "    $problem\n";
}
my $failed = $score{setup}{wrong} || $score{rehearsed}{wrong} ? 1 : 0;
printf "%-22s %4s %4s %4s %4s  %9s %6s\n", 'question', qw(TP FP FN TN precision recall);
for my $question (qw(loss down breaking)) {
    my ($tp, $fp, $fn, $tn) = map { $score{$question}{$_} // 0 } qw(tp fp fn tn);
    my ($precision, $recall) = ($tp + $fp ? $tp / ($tp + $fp) : 1, $tp + $fn ? $tp / ($tp + $fn) : 1);
    printf "%-22s %4d %4d %4d %4d  %9.3f %6.3f\n", $question, $tp, $fp, $fn, $tn, $precision, $recall;
    $failed = 1 if $precision < $bound{$question}[0] || $recall < $bound{$question}[1];
}
for my $question (qw(bump refused fails)) {
    my ($right, $wrong) = map { $score{$question}{$_} // 0 } qw(right wrong);
    my $share = $right + $wrong ? $right / ($right + $wrong) : 1;
    printf "%-22s %4d right, %d wrong: %.3f\n", $question, $right, $wrong, $share;
    $failed = 1 if $share < $bound{$question}[0];
}
my %title = (kinds => 'breaking, by kind', dangerous => 'dangerous, by kind');
for my $question (qw(loss down kinds dangerous)) {
    my ($right, $wrong) = map { $detail{$question}{$_} // 0 } qw(right wrong);
    printf "%-22s %4d right, %d wrong: %.3f\n", $title{$question} // "$question, object+number", $right, $wrong, $right + $wrong ? $right / ($right + $wrong) : 1;
}
printf "%d cases in %d s\n", scalar @cases, time - $started;
exit $failed;
