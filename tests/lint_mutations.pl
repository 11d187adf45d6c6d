#!/usr/bin/perl
# lint_migration must answer whatever it is given: the scripts of the table of situations are mutated (tokens deleted,
# doubled, swapped, cut off, put in from other scripts), and each mutant must give findings, no error, in under the limit.
# What doesn't parse must be one finding, and add_migration would refuse it with the same words. The same seed, the same mutants.
# usage: lint_mutations.pl PSQL CASEFILE…     (the server is that of PGHOST; ROUNDS=n for more, LIMIT_MS for another limit)
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/cases";
use Cases;

my ($psql, @files) = @ARGV;
my $rounds = $ENV{ROUNDS} // 4;
my $limit_ms = $ENV{LIMIT_MS} // 100;

my $state = 20260101;
sub random { my ($below) = @_; $state = ($state * 1103515245 + 12345) % 2147483648; return int($state / 65536) % $below; }

# Pieces that joined again are the script: words, numbers, strings and their delimiters, single characters.
sub pieces { return $_[0] =~ /(\w+|\s+|\$\w*\$|--|\/\*|\*\/|::|.)/gs; }

my @odd = ("'", '"', '$$', '$q$', '/*', '*/', '--', ';', '(', ')', "\\", ':x', 'E\'', 'U&"', "\x{00e4}", "\x{feff}", ',', '.', '$1',
    'SELECT', 'DROP', 'CASCADE', 'CONCURRENTLY', 'BEGIN', 'NULL', 'DEFAULT', 'CREATE', 'ALTER TABLE', 'IF EXISTS', '1e999', '9' x 40);

sub mutant {
    my ($script, $other) = @_;
    my @pieces = pieces($script);
    return $script unless @pieces;
    # Half of them keep their statements whole: those parse.
    if (random(2)) {
        my @statements = (split(/;/, $script), split(/;/, $other));
        my $number = @statements;
        return join ';', map { $statements[random($number)] } 0 .. random($number + 1);
    }
    for (1 .. 1 + random(3)) {
        my $at = random(scalar @pieces);
        my $way = random(7);
        if ($way == 0) { splice @pieces, $at, 1; }
        elsif ($way == 1) { splice @pieces, $at, 0, $pieces[$at]; }
        elsif ($way == 2) { my $to = random(scalar @pieces); @pieces[$at, $to] = @pieces[$to, $at]; }
        elsif ($way == 3) { splice @pieces, $at; }
        elsif ($way == 4) { splice @pieces, $at, 0, ' ', $odd[random(scalar @odd)], ' '; }
        elsif ($way == 5) { my @theirs = pieces($other); splice @pieces, $at, 0, ' ', @theirs[0 .. (@theirs > 12 ? 12 : $#theirs)], ' ' if @theirs; }
        else { my $end = $at + random(8); splice @pieces, $at, 0, @pieces[$at .. ($end > $#pieces ? $#pieces : $end)]; }
        return '' unless @pieces;
    }
    return join '', @pieces;
}

my @scripts = map { [$_->{up}, $_->{down} // ''] } Cases::read_files(@files);
for my $case (@scripts) { utf8::decode($_) for @$case; }
my $file = "/tmp/lint_mutations_$$.sql";
open my $out, '>:utf8', $file or die "$file: $!";
print $out "\\set ON_ERROR_STOP on\nSET client_min_messages = error;\nCREATE TEMP TABLE mutant (number int GENERATED ALWAYS AS IDENTITY, up text, down text);\n";
my $count = 0;
for my $round (1 .. $rounds) {
    for my $case (@scripts) {
        my $other = $scripts[random(scalar @scripts)];
        my ($up, $down) = (mutant($case->[0], $other->[0]), random(2) ? mutant($case->[1], $other->[1]) : $case->[1]);
        print $out 'INSERT INTO mutant (up, down) VALUES (', join(', ', map { (my $text = $_) =~ s/'/''/g; $text =~ s/\\/\\\\/g; "E'$text'" } $up, $down), ");\n";
        $count++;
    }
}
print $out <<"SQL";
CREATE TEMP TABLE outcome (number int, problem text);
DO \$do\$
DECLARE m record; began timestamptz; took float8; best float8; faulty int; found int; way int;
BEGIN
    FOR m IN SELECT * FROM mutant ORDER BY number LOOP
        BEGIN
            best := NULL;
            -- Another process may have had the processor: the best of three counts.
            FOR way IN 1 .. 3 LOOP
                began := clock_timestamp();
                SELECT count(*), count(*) FILTER (WHERE rule IN ('syntax', 'psql_meta') AND script = 'up') INTO found, faulty FROM module_versioning.lint_migration(m.up, m.down);
                took := extract(epoch FROM clock_timestamp() - began) * 1000;
                best := least(best, took);
                EXIT WHEN best < $limit_ms;
            END LOOP;
            IF best >= $limit_ms THEN INSERT INTO outcome VALUES (m.number, 'took ' || round(best) || ' ms'); END IF;
            IF faulty > 1 THEN INSERT INTO outcome VALUES (m.number, 'is faulty ' || faulty || ' times'); END IF;
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO outcome VALUES (m.number, SQLSTATE || ' ' || SQLERRM);
        END;
    END LOOP;
END \$do\$;
\\pset format unaligned
\\pset tuples_only on
SELECT 'PROBLEM ' || o.problem || ': ' || quote_literal(m.up) || ' / ' || quote_literal(m.down) FROM outcome o JOIN mutant m USING (number) ORDER BY number LIMIT 20;
SELECT 'MUTANTS ' || count(*) || ' PARSED ' || count(*) FILTER (WHERE NOT EXISTS (SELECT FROM module_versioning.lint_migration(up) l WHERE l.rule IN ('syntax', 'psql_meta'))) FROM mutant;
SQL
close $out;
chmod 0644, $file;
my $database = "lint_mutations_$$";
my $answer = `$psql -qX -c 'CREATE DATABASE $database' && $psql -qX -d $database -c 'CREATE EXTENSION module_versioning' -f $file 2>&1`;
my $ok = $? == 0 && $answer =~ /^MUTANTS $count /m && $answer !~ /PROBLEM|ERROR|server closed/;
system("$psql -qX -c 'DROP DATABASE IF EXISTS $database'");
unlink $file;
print $answer;
exit($ok ? 0 : 1);
