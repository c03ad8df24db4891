# Runs programs at a host, from their start to their end, in turns: perl spawn-timer.pl FILE. FILE: the number of turns, the first
# turn (1: none that does not count comes before), then a line for each program, its words in hex. Prints the ms of each program, a line of JSON.
#
# Perl, for it forks in a third of a millisecond; a Node in its place takes ten times as long over each start, which would be
# counted as the program's.
use strict;
use warnings;
use POSIX ();
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

open my $file, '<', $ARGV[0] or die "$ARGV[0]: $!\n";
chomp(my ($turns, $first, @lines) = <$file>);
my @programs = map { [map { pack 'H*', $_ } split / /] } @lines;
my @times = map { [] } @programs;
open my $nothing, '<', '/dev/null' or die "/dev/null: $!\n";
open my $output, '>', '/dev/null' or die "/dev/null: $!\n";
open my $said, '+>', undef or die "a file for what it says: $!\n";
for my $turn (0 .. $turns) {
    next if $turn == 0 && $first > 0;
    for my $i (0 .. $#programs) {
        my @words = @{ $programs[$i] };
        truncate $said, 0;
        my $began = clock_gettime(CLOCK_MONOTONIC);
        my $pid = fork // die "fork: $!\n";
        if ($pid == 0) {
            open STDIN, '<&', $nothing;
            open STDOUT, '>&', $output;
            open STDERR, '>>&', $said;
            exec { $words[0] } @words or POSIX::_exit(127);
        }
        waitpid $pid, 0;
        my $ms = 1000 * (clock_gettime(CLOCK_MONOTONIC) - $began);
        if ($? != 0) {
            seek $said, 0, 0;
            die "@words: status $?: ", <$said>, "\n";
        }
        push @{ $times[$i] }, $ms if $turn > 0;
    }
}
print '[', join(',', map { '[' . join(',', @$_) . ']' } @times), "]\n";
