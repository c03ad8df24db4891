# Opens what Node cannot, a netlink socket to netfilter, and becomes the program that it is given:
#
#   perl opener.pl [--events] [--log] PROGRAM [ARGUMENT …]
#
# PROGRAM finds in its environment POSTERN_NETLINK_FD (a socket for commands that does not block) and POSTERN_NETLINK_SEND_BYTES
# (how much it takes at once); with --events POSTERN_EVENTS_FD (what others change in the ruleset); with --log POSTERN_LOG_FD (for
# NFLOG). `posternd status`, `posternd down` and the specs use it; `posternd run` has starter.pl.
use strict;
use warnings;
no warnings 'exec';    # said by end() in our own words
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use Socket qw(SOCK_RAW SOL_SOCKET SO_SNDBUF SO_RCVBUF);

use constant { AF_NETLINK => 16, NETLINK_NETFILTER => 12, NFTABLES_GROUP => 1 << 6, BUFFER => 8 << 20 };
use constant { SO_ATTACH_FILTER => 26, SO_SNDBUFFORCE => 32, SO_RCVBUFFORCE => 33 };
use constant { UNAVAILABLE => 69, NOPERM => 77 };

sub end { my ($status, $why) = @_; print STDERR "posternd: $why\n"; exit $status }

$^F = 1000;    # nothing is closed on exec

sub open_netlink {
  my ($groups) = @_;
  socket(my $socket, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER)
    or end(UNAVAILABLE, "netlink: $!: expected a kernel with nfnetlink (CONFIG_NETFILTER_NETLINK), and a sandbox that allows AF_NETLINK");
  bind($socket, pack 'S S L L', AF_NETLINK, 0, 0, $groups) or end(NOPERM, "netlink: $!: run as root (CAP_NET_ADMIN)");
  # Beyond the system's bound where that is allowed; what it allows elsewhere.
  setsockopt($socket, SOL_SOCKET, SO_SNDBUFFORCE, pack 'i', BUFFER) or setsockopt($socket, SOL_SOCKET, SO_SNDBUF, pack 'i', BUFFER);
  setsockopt($socket, SOL_SOCKET, SO_RCVBUFFORCE, pack 'i', BUFFER) or setsockopt($socket, SOL_SOCKET, SO_RCVBUF, pack 'i', BUFFER);
  fcntl($socket, F_SETFL, fcntl($socket, F_GETFL, 0) | O_NONBLOCK) or end(UNAVAILABLE, "netlink: $!");
  return $socket;
}

# The kernel tells everybody of each element, so of the ten thousands of tokens that we ourselves put in: what the command
# socket did is dropped before it is queued. Classic BPF: load nlmsg_pid; equal to ours: 0 bytes, else all.
sub drop_own_events {
  my ($events, $command) = @_;
  my $portid = (unpack 'S S L L', getsockname $command)[2];
  my $program = pack 'S C C L' x 4, 0x20, 0, 0, 12, 0x15, 0, 1, unpack('N', pack 'L', $portid), 0x06, 0, 0, 0, 0x06, 0, 0, 0xffffffff;
  setsockopt($events, SOL_SOCKET, SO_ATTACH_FILTER, pack 'S x![P] P', 4, $program) or end(UNAVAILABLE, "netlink: filter: $!");
}

my $command = open_netlink(0);
$ENV{POSTERN_NETLINK_FD} = fileno $command;
$ENV{POSTERN_NETLINK_SEND_BYTES} = unpack 'i', getsockopt $command, SOL_SOCKET, SO_SNDBUF;
my @kept = $command;
while (@ARGV && $ARGV[0] =~ /^--(events|log)$/) {
  shift @ARGV;
  my $socket = open_netlink($1 eq 'events' ? NFTABLES_GROUP : 0);
  drop_own_events($socket, $command) if $1 eq 'events';
  $ENV{$1 eq 'events' ? 'POSTERN_EVENTS_FD' : 'POSTERN_LOG_FD'} = fileno $socket;
  push @kept, $socket;
}
@ARGV or end(2, 'opener: expected a program');
exec { $ARGV[0] } @ARGV or end(127, "$ARGV[0]: $!");
