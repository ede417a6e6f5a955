# Text in Perl: hashes of arrays, string building, sorting and regular expressions.
use strict;
use warnings;

my $random = 12345;
sub pick { $random = ($random * 1103515245 + 12345) % 2147483648; return int($random / 65536) % $_[0] }

my (%index, @lines);
for my $number (1 .. 60_000) {
    my $line = join ' ', map { 'word' . pick(9000) } 1 .. 4 + pick(8);
    push @lines, $line;
    push @{ $index{$_} }, $number for split / /, $line;
}
my ($longest) = sort { @{ $index{$b} } <=> @{ $index{$a} } || $a cmp $b } keys %index;
my $text = join "\n", sort @lines;
my $changed = ($text =~ s/\bword(\d)(\d+)\b/"w$2-$1"/ge);
my %pairs;
$pairs{"$1 $2"}++ while $text =~ /(\S+) (\S+)/g;
my $sum = 0;
$sum = ($sum * 31 + length($_) * $pairs{$_}) % 1000000007 for sort keys %pairs;
printf "words %d longest %s %d changed %d pairs %d checksum %d\n",
    scalar keys %index, $longest, scalar @{ $index{$longest} }, $changed, scalar keys %pairs, $sum;
