# Sends datagrams from nobody as fast as asked: perl flood.pl ADDRESS PORT PER-SECOND SECONDS BYTES [PREFIX-IN-HEX [SOURCE …]]
#
# Each is PREFIX and other random bytes (characters of base64 where BYTES ends in b, as in 204b); from one of this host's
# addresses SOURCE after the other. Bounded in number and time, but what is to take less than a second is sent whole; at its end
# it prints how many it sent. Perl, for a Node in its place is half as fast and would have to share two processors with what is
# measured.
use strict;
use warnings;
use POSIX ();
use Socket;

my ($address, $port, $per_second, $seconds, $bytes, $prefix, @sources) = @ARGV;
$prefix = pack 'H*', $prefix // '';
my $is_base64 = $bytes =~ s/b$//;
$bytes -= length $prefix;
$seconds <= 660 && $bytes >= 0 or die "flood: $seconds s of $bytes bytes: expected at most 660 s, and a prefix that fits\n";
alarm $seconds + 20;

use constant { POOL => 1 << 20, TICKS => 100, STEP => 7919 };
open my $random, '<:raw', '/dev/urandom' or die "flood: /dev/urandom: $!\n";
read $random, my $pool, POOL + 2048;
$is_base64 and eval 'no warnings; $pool =~ tr{\x00-\xff}{' . join('', 'A' .. 'Z', 'a' .. 'z', 0 .. 9, '+', '/') x 4 . '}' || die $@;
my $family = $address =~ /:/ ? PF_INET6 : PF_INET;
sub at {
  my ($host, $number) = @_;
  my $packed = Socket::inet_pton($family, $host) or die "flood: $host: expected an address like $address\n";
  return $family == PF_INET6 ? pack_sockaddr_in6($number, $packed) : pack_sockaddr_in($number, $packed);
}
my $to = at($address, $port);
my @sockets = map {
  socket my $socket, $family, SOCK_DGRAM, 0 or die "flood: $!\n";
  setsockopt $socket, SOL_SOCKET, SO_SNDBUF, pack 'i', 4 << 20;
  !length or bind $socket, at($_, 0) or die "flood: $_: $!\n";
  $socket;
} @sources ? @sources : '';

my ($sent, $offset, $most) = (0, 0, $per_second * $seconds);
# On a busy machine a tick or two may pass before the first datagram.
my $longest = TICKS * ($seconds < 1 ? 10 : $seconds);
my $began = (POSIX::times())[0];
while (1) {
  my $ticks = (POSIX::times())[0] - $began;
  last if $ticks >= $longest || $sent >= $most;
  my $due = ($ticks + 1) * $per_second / TICKS;
  select undef, undef, undef, 0.001 if $sent >= $due;
  for (my $burst = 0; $sent < $due && $sent < $most && $burst < 200; $burst++) {
    $offset = ($offset + STEP) % POOL;
    send $sockets[$sent % @sockets], $prefix . substr($pool, $offset, $bytes), 0, $to;
    $sent++;
  }
}
my $took = ((POSIX::times())[0] - $began) / TICKS;
printf "{\"sent\":%d,\"seconds\":%.2f}\n", $sent, $took;
