# Perl's threads: each is a copy of the whole interpreter, made by one thread and given up by another.
use strict;
use warnings;
use threads;
use Thread::Queue;

my %shape = map { ("key $_" => [1 .. $_ % 50]) } 1 .. 3000;
my ($work, $done) = (Thread::Queue->new(1 .. 200), Thread::Queue->new);
$work->end;

sub serve {
    while (defined(my $number = $work->dequeue_nb)) {
        my %own = map { ($_ => "$number " . scalar @{ $shape{$_} }) } keys %shape;
        $done->enqueue({ number => $number, text => join ',', map { $own{"key $_"} } 1 .. 20 });
    }
}

for my $wave (1 .. 3) {
    $_->join for map { threads->create(\&serve) } 1 .. 8;
    $work = Thread::Queue->new(map { $wave * 200 + $_ } 1 .. 200) if $wave < 3;
    $work->end;
}
my ($count, $sum) = (0, 0);
while (my $result = $done->dequeue_nb) {
    $count++;
    $sum += $result->{number} + length $result->{text};
}
print "results $count sum $sum\n";
