# Opens a netlink socket that hears every change of this namespace's ruleset and becomes the program that it is given, which
# finds the descriptor in EVENTS_FD and may work in another namespace. A read that waits for long ends with EAGAIN.
use strict;
use warnings;
use Socket;

use constant { AF_NETLINK => 16, NETFILTER => 12, NFTABLES_GROUP => 1 << 6, RCVBUFFORCE => 33, BUFFER => 64 << 20 };
$^F = 1000;    # nothing is closed on exec
socket my $socket, AF_NETLINK, SOCK_RAW, NETFILTER or die "events: $!\n";
setsockopt $socket, SOL_SOCKET, RCVBUFFORCE, pack 'i', BUFFER or setsockopt $socket, SOL_SOCKET, SO_RCVBUF, pack 'i', BUFFER;
setsockopt $socket, SOL_SOCKET, SO_RCVTIMEO, pack 'l! l!', 0, 500_000 or die "events: $!\n";
bind $socket, pack 'S S L L', AF_NETLINK, 0, 0, NFTABLES_GROUP or die "events: $!\n";
$ENV{EVENTS_FD} = fileno $socket;
exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!\n";
