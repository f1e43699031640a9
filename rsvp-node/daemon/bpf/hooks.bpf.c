// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * Programs at a cgroup: they tell the daemon what becomes of sockets that were handed over to it. They change nothing, refuse
 * nothing, and cost a socket that was not handed over one look at its storage.
 *
 * The ring cannot be full for a release: there is one for each socket that is watched, and connects, of which there can be any
 * number, leave half of the ring free.
 *
 * They are built by build.sh, and run from Linux 5.9 on: a hook for the release of sockets, their storage in
 * the programs of cgroups, rings.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "hooks.h"

#define INLINE static __always_inline
/* What these programs answer: go on. */
#define PERMIT 1
#define AF_INET 2
#define AF_INET6 10

INLINE void count_untold(__u32 kind)
{
	__u64 *count = bpf_map_lookup_elem(&untold, &kind);

	if (count)
		__sync_fetch_and_add(count, 1);
}

/*
 * The last descriptor of a socket is closed, by whomever and for whatever reason. What the storage says of a socket outlives the
 * wish to know of it: only who is in `watched` is told of, and once.
 */
SEC("cgroup/sock_release")
int rsvp_release(struct bpf_sock *sk)
{
	struct socket *socket = bpf_sk_storage_get(&sockets, sk, 0, 0);
	struct news *news;
	__u64 cookie;

	if (!socket)
		return PERMIT;
	cookie = bpf_get_socket_cookie(sk);
	if (socket->watched != cookie)
		return PERMIT;
	if (!bpf_map_lookup_elem(&watched, &cookie))
		return PERMIT;
	news = bpf_ringbuf_reserve(&ring, sizeof(*news), 0);
	if (!news) {
		count_untold(RELEASED);
		return PERMIT;
	}
	__builtin_memset(news, 0, sizeof(*news));
	news->cookie = cookie;
	news->kind = RELEASED;
	if (bpf_map_delete_elem(&watched, &cookie))
		bpf_ringbuf_discard(news, 0);
	else
		bpf_ringbuf_submit(news, 0);
	return PERMIT;
}

/* A socket is about to be connected: what is said of the peer comes with the family that the caller has used. */
INLINE int connects(struct bpf_sock_addr *to, __u16 family)
{
	struct bpf_sock *sk = to->sk;
	struct socket *socket;
	struct news *news;
	__u64 cookie;

	if (!sk)
		return PERMIT;
	socket = bpf_sk_storage_get(&sockets, sk, 0, 0);
	if (!socket)
		return PERMIT;
	cookie = bpf_get_socket_cookie(to);
	if (socket->watched != cookie)
		return PERMIT;
	if (!bpf_map_lookup_elem(&watched, &cookie))
		return PERMIT;
	if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > RING / 2) {
		count_untold(CONNECTS);
		return PERMIT;
	}
	news = bpf_ringbuf_reserve(&ring, sizeof(*news), 0);
	if (!news) {
		count_untold(CONNECTS);
		return PERMIT;
	}
	news->cookie = cookie;
	news->kind = CONNECTS;
	news->family = family;
	news->port = to->user_port;
	news->protocol = to->protocol;
	__builtin_memset(news->address, 0, sizeof(news->address));
	if (family == AF_INET) {
		news->address[0] = to->user_ip4;
	} else {
		news->address[0] = to->user_ip6[0];
		news->address[1] = to->user_ip6[1];
		news->address[2] = to->user_ip6[2];
		news->address[3] = to->user_ip6[3];
	}
	bpf_ringbuf_submit(news, 0);
	return PERMIT;
}

SEC("cgroup/connect4")
int rsvp_connect4(struct bpf_sock_addr *to)
{
	return connects(to, AF_INET);
}

SEC("cgroup/connect6")
int rsvp_connect6(struct bpf_sock_addr *to)
{
	return connects(to, AF_INET6);
}

/* The kernel's list of licences has none of these; nothing here needs one that it has. */
char licence[] SEC("license") = "MIT OR Apache-2.0";
