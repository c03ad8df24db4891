"""A link that holds every frame: delay.py ONE-WAY-MS NAME NAME. Makes two TAP devices and carries each frame from one to the
other after so long. In user space, for many kernels have no netem; Python, for perl-base has no finer clock than select's. Says "ready", ends with its stdin."""
import collections, fcntl, os, select, struct, sys, time

TUNSETIFF, IFF_TAP, IFF_NO_PI, LONGEST = 0x400454CA, 0x0002, 0x1000, 65536


def tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


delay = float(sys.argv[1]) / 1000
ends = [tap(name) for name in sys.argv[2:4]]
other = {ends[0]: ends[1], ends[1]: ends[0]}
held = collections.deque()
print("ready", flush=True)
while True:
    patience = max(0, held[0][0] - time.monotonic()) if held else None
    readable = select.select([0, *ends], [], [], patience)[0]
    if 0 in readable:
        break
    for fd in readable:
        try:
            held.append((time.monotonic() + delay, other[fd], os.read(fd, LONGEST)))
        except OSError:
            pass
    while held and held[0][0] <= time.monotonic():
        _, fd, frame = held.popleft()
        try:
            os.write(fd, frame)
        except OSError:
            pass
