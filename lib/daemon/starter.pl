# The starter: opens what Node cannot, starts monitor and listener with nothing but what each needs, and restarts them.
# It reads nothing from anywhere, so the sockets outlive both, and what waits for a listener outlives that. docs/ARCHITECTURE.md, "Three processes".
#
#   perl starter.pl NODE PROGRAMS [--config FILE] [--run-dir DIR] [--state-dir DIR] [--user U] [--listener-user U] [--close]
#
# U is a name, a number, or `-`: keep the uid (an ordinary user's namespace has only one) and lower capabilities alone.
use strict;
use warnings;
use Socket qw(:all);
use Fcntl qw(F_GETFL F_SETFL O_CREAT O_DIRECTORY O_NOFOLLOW O_NONBLOCK O_RDONLY O_RDWR O_WRONLY :flock);
use POSIX qw(:sys_wait_h);

use constant { NETLINK_FAMILY => 16, NETFILTER => 12, NFT_EVENTS => 1 << 6, BUFFER => 8 << 20 };
use constant { SNDBUF => 7, RCVBUF => 8, ATTACH_FILTER => 26, SNDBUFFORCE => 32, RCVBUFFORCE => 33 };
use constant { USAGE => 2, UNAVAILABLE => 69, NOPERM => 77 };

sub end { my ($status, $why) = @_; print STDERR "posternd: $why\n"; exit $status }

my ($node, $programs, @words) = @ARGV;
my ($found) = $ENV{POSTERN_CONFIG} // grep { -e } '/etc/postern/posternd.conf', '/opt/letmein/etc/letmeind.conf';
my %option = ('run-dir' => '/run/postern', 'state-dir' => '/var/lib/postern', config => $found // '');
@option{qw(user listener-user)} = $> == 0 ? qw(postern postern-listener) : qw(- -);
my $right = ' (posternd run --help; for example: posternd run --config ./posternd.conf)';
my ($close, %given) = (0);
while (defined(my $word = shift @words)) {
  if ($word eq '--close') { $close = 1; next }
  my ($name, $value) = $word =~ /^--([a-z-]+)(?:=(.*))?$/s or end(USAGE, "run: \"$word\": expected an option$right");
  exists $option{$name} or end(USAGE, "run: --$name: no such option$right");
  $value = shift @words unless defined $value;
  defined $value && length $value or end(USAGE, "run: --$name: expected a value$right");
  end(USAGE, "run: --$name is here twice: expected once$right") if $given{$name}++;
  $option{$name} = $value;
}

# Whether uid 0 here is the machine's: in a user namespace of somebody's own it is his.
sub is_real_root {
  return 0 if $> != 0;
  open my $map, '<', '/proc/self/uid_map' or return 1;
  return (<$map> // '') =~ /^\s*0\s+0\s+4294967295$/;
}

# uid and gid that a child takes on; nothing where it keeps ours.
sub identity {
  my ($name, $flag) = @_;
  if ($name eq '-') {
    is_real_root() and end(USAGE, "run: --$flag -: as root that would give a process which reads what strangers send all that root has: name a user, or try it in a namespace of one's own (unshare --user --map-root-user)");
    return ();
  }
  my ($uid, $gid) = $name =~ /^\d+$/ ? ($name, $name) : (getpwnam $name)[2, 3];
  defined $uid or end(UNAVAILABLE, "run: user \"$name\" does not exist: useradd --system --user-group --shell /usr/sbin/nologin $name makes it (posternd init does, where systemd is), or name another by --$flag");
  $uid == 0 and end(USAGE, "run: --$flag $name: expected a user that is not root");
  return ($uid, $gid);
}
my @monitor_id = identity($option{user}, 'user');
my @listener_id = identity($option{'listener-user'}, 'listener-user');

# Where stdin, stdout or stderr came shut, a socket would take its place and be written to as such.
my $null = 0;
$null = POSIX::open('/dev/null', O_RDWR) // end(UNAVAILABLE, "/dev/null: $!") while $null <= 2;
POSIX::close($null);

$^F = 1000;    # nothing is closed on exec but by hand, below
sub netlink {
  my ($groups) = @_;
  socket(my $socket, NETLINK_FAMILY, SOCK_RAW, NETFILTER) or end(UNAVAILABLE, "netlink: $!: this kernel has no nfnetlink (CONFIG_NETFILTER_NETLINK)");
  bind($socket, pack('S S L L', NETLINK_FAMILY, 0, 0, $groups)) or end(NOPERM, "netlink: $!: run as root (CAP_NET_ADMIN)");
  setsockopt($socket, SOL_SOCKET, SNDBUFFORCE, BUFFER) or setsockopt($socket, SOL_SOCKET, SNDBUF, BUFFER);
  setsockopt($socket, SOL_SOCKET, RCVBUFFORCE, BUFFER) or setsockopt($socket, SOL_SOCKET, RCVBUF, BUFFER);
  return $socket;
}
my $command = netlink(0);
fcntl($command, F_SETFL, fcntl($command, F_GETFL, 0) | O_NONBLOCK);
my $send_bytes = unpack 'i', getsockopt $command, SOL_SOCKET, SNDBUF;
my $events = netlink(NFT_EVENTS);
my $nflog = netlink(0);

# The kernel tells everybody of each element, so of the ten thousands of tokens that the monitor itself puts in: what the
# command socket did is dropped before it is queued. Classic BPF: load nlmsg_pid; equal to ours: 0 bytes, else all.
my $own = unpack 'N', pack 'L', (unpack 'S S L L', getsockname $command)[2];
my $filter = pack 'S C C L' x 4, 0x20, 0, 0, 12, 0x15, 0, 1, $own, 0x06, 0, 0, 0, 0x06, 0, 0, 0xffffffff;
setsockopt($events, SOL_SOCKET, ATTACH_FILTER, pack 'S x![P] P', 4, $filter) or end(UNAVAILABLE, "netlink: filter: $!");
socketpair(my $monitor_end, my $listener_end, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or end(UNAVAILABLE, "socketpair: $!");
my $notify;
if (my $path = $ENV{NOTIFY_SOCKET}) {
  $path =~ s/^@/\0/;
  socket($notify, AF_UNIX, SOCK_DGRAM, 0) && connect($notify, pack_sockaddr_un($path)) or undef $notify;
}

# The journal's own socket, where stderr goes to the journal: its lines may have fields. It must not make the monitor wait.
# What a service starts inherits the variable, also with a stderr of its own: only device and inode say whose it is (systemd.exec(5)).
my ($stderr_device, $stderr_inode) = stat STDERR;
delete $ENV{JOURNAL_STREAM} if defined $ENV{JOURNAL_STREAM} && $ENV{JOURNAL_STREAM} ne "$stderr_device:$stderr_inode";
my $journal;
if ($ENV{JOURNAL_STREAM}) {
  socket($journal, AF_UNIX, SOCK_DGRAM, 0) && fcntl($journal, F_SETFL, O_NONBLOCK) && connect($journal, pack_sockaddr_un('/run/systemd/journal/socket')) or undef $journal;
}

# Each process has its own folder; nobody else writes there. Root makes files in them and gives folders away, so neither a
# folder nor a link to it may be somebody else's.
sub folder {
  my ($path, $mode, $uid, $gid) = @_;
  -d $path or mkdir $path, $mode or end(NOPERM, "$path: $!: expected a folder that can be made or is there");
  for my $owner ((lstat $path)[4], (stat $path)[4]) {
    $owner == $> || defined $uid && $owner == $uid or end(NOPERM, "$path: owner $owner: expected " . (defined $uid ? "$> or $uid" : $>));
  }
  my ($found_mode, $found_uid, $found_gid) = (stat _)[2, 4, 5];
  # Under systemd they are made already, and we have no right to it.
  defined $uid && ($found_uid != $uid || $found_gid != $gid) and chown $uid, $gid, $path;
  ($found_mode & 07777) == $mode or chmod $mode, $path or end(NOPERM, "$path: $!: expected a folder of ours");
}
umask 077;
my $listener_dir = "$option{'run-dir'}/listener";
my $monitor_dir = "$option{'run-dir'}/monitor";
folder($option{'run-dir'}, 0755);
sysopen my $lock, "$option{'run-dir'}/lock", O_WRONLY | O_CREAT | O_NOFOLLOW, 0600 or end(NOPERM, "$option{'run-dir'}/lock: $!");
flock $lock, LOCK_EX | LOCK_NB or end(UNAVAILABLE, "$option{'run-dir'}: another posternd runs here");
folder($monitor_dir, 0700, @monitor_id);
folder($listener_dir, 0700, @listener_id);
folder($option{'state-dir'}, 0755);

# The horizon has one writer: of two daemons that share it, one would write it down while the other accepts. The folder itself is
# locked, for a full disk has no room for a file. The monitor has the lock too: killed with us it may outlive us for a moment, and the
# next one waits that long. A file system without such locks (NFS) is used without.
sysopen my $state_lock, $option{'state-dir'}, O_RDONLY | O_DIRECTORY or end(NOPERM, "$option{'state-dir'}: $!");
for (my $tries = 0; !flock($state_lock, LOCK_EX | LOCK_NB) && $! == POSIX::EWOULDBLOCK; $tries++) {
  $tries < 100 or end(UNAVAILABLE, "$option{'state-dir'}: another posternd keeps its horizon here: name another folder by --state-dir");
  select undef, undef, undef, 0.1;
}
folder("$option{'state-dir'}/monitor", 0700, @monitor_id);
folder("$option{'state-dir'}/listener", 0700, @listener_id);

# letmeind.conf is 0640 root:letmeind, ours root:postern: the monitor may read them, and no other group's files.
my $config_gid = length $option{config} ? (stat $option{config})[5] : undef;
my $config_group = defined $config_gid && getgrgid $config_gid;
my @config_groups = defined $config_group && $config_group =~ /^(?:postern|letmeind)$/ ? ($config_gid) : ();

my %environment = map { defined $ENV{$_} ? ($_ => $ENV{$_}) : () } qw(PATH LANG JOURNAL_STREAM WATCHDOG_USEC POSTERN_CONFIG POSTERN_BOOT_ID);
my @told = grep { defined } $notify, $journal;
my @all = ($lock, $state_lock, $command, $events, $nflog, $monitor_end, $listener_end, @told);

# What we are told while a child is made waits until we know whom to tell on: else it would live until it is killed.
my $signals = POSIX::SigSet->new(POSIX::SIGHUP, POSIX::SIGTERM, POSIX::SIGINT, POSIX::SIGALRM);
sub undisturbed {
  my ($make) = @_;
  POSIX::sigprocmask(POSIX::SIG_BLOCK, $signals);
  $make->();
  POSIX::sigprocmask(POSIX::SIG_UNBLOCK, $signals);
}

# Starts NODE with these sockets, these capabilities and no others, as that user; it dies with us.
sub start {
  my ($capability, $identity, $groups, $fds, @argv) = @_;
  my $pid = fork;
  defined $pid or end(UNAVAILABLE, "fork: $!");
  return $pid if $pid;
  $SIG{$_} = 'DEFAULT' for qw(HUP USR1 TERM INT ALRM);
  POSIX::sigprocmask(POSIX::SIG_UNBLOCK, $signals);
  my %kept = map { fileno($_) => 1 } values %$fds;
  $kept{fileno $_} or close $_ for @all;
  my @who = @$identity ? ('--reuid', $identity->[0], '--regid', $identity->[1], @$groups ? ('--groups', join ',', @$groups) : '--clear-groups') : ();
  %ENV = (%environment, POSTERN_SEND_BYTES => $send_bytes, POSTERN_FDS => join ',', map { "$_=" . fileno $fds->{$_} } sort keys %$fds);
  exec 'setpriv', @who, "--inh-caps=-all$capability", "--ambient-caps=-all$capability", "--bounding-set=-all$capability",
    '--no-new-privs', '--pdeathsig', 'KILL', $node, @argv or POSIX::_exit(UNAVAILABLE);
}

my ($monitor, $listener, $ending, $runs) = (0, 0, 0, 0);
my ($monitor_born, $listener_born) = (0, 0);
sub start_both {
  exit 0 if $ending;
  $monitor_born = time;
  my %fds = (state => $state_lock, command => $command, events => $events, nflog => $nflog, channel => $monitor_end, defined $notify ? (notify => $notify) : (), defined $journal ? (journal => $journal) : ());
  $monitor = start(',+net_admin', \@monitor_id, \@config_groups, \%fds, "$programs/monitor.js", '--run-dir', $option{'run-dir'},
    '--state-dir', $option{'state-dir'}, '--generation', $runs++, $close ? '--close' : (), length $option{config} ? ('--config', $option{config}) : ());
  start_listener();
}
sub start_listener {
  $listener_born = time;
  $listener = start('', \@listener_id, [], {nflog => $nflog, channel => $listener_end}, "$programs/listener.js", '--dir', $listener_dir,
    '--salts-dir', "$option{'state-dir'}/listener");
}
sub end_listener { if ($listener) { kill KILL => $listener; waitpid $listener, 0; $listener = 0 } }

$SIG{HUP} = sub { kill HUP => $monitor if $monitor };
$SIG{USR1} = sub { };
$SIG{TERM} = $SIG{INT} = sub { $ending = 1; kill TERM => $monitor if $monitor; alarm 10 };
$SIG{ALRM} = sub { kill KILL => $monitor if $monitor };
undisturbed(\&start_both);
my $pause = 0;
while (1) {
  my $pid = waitpid -1, 0;
  my $status = $?;
  if ($pid == $monitor) {
    $monitor = 0;
    end_listener();
    # An end of its own accord (done, or a configuration that cannot work) is final; a crash, or 75 ("start me again"), is not.
    my $again = WIFSIGNALED($status) || WEXITSTATUS($status) == 75;
    exit(WIFEXITED($status) ? WEXITSTATUS($status) : 0) if $ending || !$again;
    print STDERR "posternd: monitor ended ($status); starting it again\n";
    $pause = 0 if time - $monitor_born > 60;
    select undef, undef, undef, $pause = $pause ? ($pause < 2.5 ? $pause * 2 : 5) : 0.1;
    # What a dead pair left half-said in the channel is nobody's: a new pair of ends.
    close $monitor_end; close $listener_end;
    socketpair($monitor_end, $listener_end, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or end(UNAVAILABLE, "socketpair: $!");
    @all = ($lock, $state_lock, $command, $events, $nflog, $monitor_end, $listener_end, @told);
    undisturbed(\&start_both);
  } elsif ($pid == $listener) {
    $listener = 0;
    next if $ending;
    print STDERR "posternd: listener ended ($status); starting it again\n";
    select undef, undef, undef, 0.5 if time - $listener_born < 2;    # not as fast as it can crash
    undisturbed(sub { start_listener() unless $ending });
  }
}
