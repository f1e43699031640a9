/// A delay each way.
const DELAY_MS: u64 = 20;

/// Hands on what comes by one TUN interface to the other, later.
const RELAY: &str = "
import collections, ctypes, fcntl, os, select, struct, sys, time
libc = ctypes.CDLL(None)
def tun(space, name):
    inside = os.open('/run/netns/' + space, os.O_RDONLY)
    assert libc.setns(inside, 0x40000000) == 0
    device = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(device, 0x400454ca, struct.pack('16sH', name.encode(), 0x1001))
    return device
ends = [tun(sys.argv[1], 'to-b'), tun(sys.argv[2], 'to-a')]
delay = int(sys.argv[3]) / 1000
print('ready', flush=True)
waiting = collections.deque()
while True:
    left = max(0, waiting[0][0] - time.monotonic()) if waiting else None
    readable, _, _ = select.select(ends, [], [], left)
    for end in readable:
        waiting.append((time.monotonic() + delay, ends[1 - ends.index(end)], os.read(end, 2048)))
    while waiting and waiting[0][0] <= time.monotonic():
        _, to, packet = waiting.popleft()
        try:
            os.write(to, packet)
        except OSError:
            pass
";

