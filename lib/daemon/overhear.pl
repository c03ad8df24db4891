# Hears UDP datagrams of a knock's length (postern's own, letmein's, fwknop's) as they come in, ahead of every firewall rule, for
# `posternd doctor --listen`; and letmein's CHALLENGEs as they leave:
#
#   perl overhear.pl SECONDS
#
# Prints "in ADDRESS TO PORT HEX" for each, or "out …": source, destination and its port, payload. Answers nothing, and binds nothing.
use strict;
use warnings;
use POSIX ();
use Socket qw(SOCK_DGRAM SOL_SOCKET AF_INET AF_INET6 inet_ntop);

use constant { AF_PACKET => 17, ETH_P_ALL => 3, PACKET_OUTGOING => 4, UDP => 17, SO_ATTACH_FILTER => 26 };
use constant { LETMEIN_BYTES => 56, MIN_BYTES => 86, MAX_BYTES => 475, NOPERM => 77 };
use constant { MAGIC => "\x3b\x1b\xb7\x19", CHALLENGE => 1 };

my ($seconds) = @ARGV;
$| = 1;
socket(my $socket, AF_PACKET, SOCK_DGRAM, unpack 'S', pack 'n', ETH_P_ALL)
  or do { print STDERR "a packet socket: $!: run as root (CAP_NET_RAW)\n"; exit NOPERM };
# Classic BPF, so that nothing else of a busy host comes up: protocol of the link; IPv4 and byte 9, or IPv6 and byte 6, is UDP.
my @filter = (
  [0x28, 0, 0, 0xfffff000], [0x15, 0, 2, 0x0800], [0x30, 0, 0, 9], [0x15, 3, 4, UDP],
  [0x15, 0, 3, 0x86dd], [0x30, 0, 0, 6], [0x15, 0, 1, UDP], [0x06, 0, 0, 0xffff], [0x06, 0, 0, 0],
);
my $program = join '', map { pack 'S C C L', @$_ } @filter;
setsockopt($socket, SOL_SOCKET, SO_ATTACH_FILTER, pack 'S x![P] P', scalar @filter, $program) or die "filter: $!\n";
# What reads strangers' packets is nobody; where a namespace knows no other uid it stays who it is.
if ($> == 0) { $) = "65534 65534"; POSIX::setgid(65534); POSIX::setuid(65534) }
print STDERR "hears\n";

# Whoever reads holds us up, and the kernel then drops: so no flood takes memory, and none ends the hearing for who knocks meanwhile.
my $end = time + $seconds;
while ((my $left = $end - time) > 0) {
  my $ready = '';
  vec($ready, fileno $socket, 1) = 1;
  next unless select $ready, undef, undef, $left;
  my $from = recv($socket, my $packet, 65_535, 0) // next;
  my $way = (unpack 'S n l S C', $from)[4] == PACKET_OUTGOING ? 'out' : 'in';
  my ($source, $to, $udp) = in_packet($packet) or next;
  next if length $udp < 8;
  my ($port, $length) = unpack 'x2 n n', $udp;
  my $payload = substr $udp, 8;
  next if $length != 8 + length $payload || length $payload > MAX_BYTES;
  my $operation = length $payload == LETMEIN_BYTES && substr($payload, 0, 4) eq MAGIC ? unpack 'x4 N', $payload : -1;
  next if $way eq 'out' ? $operation != CHALLENGE : length $payload < MIN_BYTES && $operation < 0;
  print "$way $source $to $port ", unpack('H*', $payload), "\n" or last;
}

# Source, destination and UDP datagram of a whole packet; nothing of a fragment. What pads a short frame is cut off by the packet's own length.
sub in_packet {
  my ($packet) = @_;
  my $version = length $packet < 28 ? 0 : ord($packet) >> 4;
  if ($version == 4) {
    my $head = 4 * (ord($packet) & 15);
    my ($total, $fragment) = unpack 'x2 n x2 n', $packet;
    return if $fragment & 0x3fff || $total > length $packet || $total < $head;
    return ((map { inet_ntop(AF_INET, substr $packet, $_, 4) } 12, 16), substr $packet, $head, $total - $head);
  }
  if ($version == 6 && length $packet >= 48) {
    my ($length) = unpack 'x4 n', $packet;
    return if 40 + $length > length $packet;
    return ((map { inet_ntop(AF_INET6, substr $packet, $_, 16) } 8, 24), substr $packet, 40, $length);
  }
  return;
}
