//! What stands for octets that need not be kept: a keyed digest of 128 bits, SipHash-1-3 (Aumasson and Bernstein, 2012).
//!
//! It says whether a message is the one that came before. Who does not know the key, which the configuration's `hash_seed` makes,
//! can find no two messages with the same digest; by chance that is one in 2^128.

use crate::rng::mix;

/// A digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest([u32; 4]);

/// The key, by which each digest begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DigestKey([u64; 2]);

impl DigestKey {
    pub(crate) const fn new(seed: u64) -> Self {
        let first = mix(seed ^ 0x6469_6765_7374);
        Self([first, mix(first ^ seed)])
    }

    /// The digest of octets that come in pieces, each of whole words of four as all objects are.
    pub(crate) fn digest<'o>(self, pieces: impl Iterator<Item = &'o [u8]>) -> Digest {
        self.digest_by::<1, 3>(pieces)
    }

    /// By so many rounds for each eight octets, and so many for each half of what comes of them.
    fn digest_by<'o, const EACH: u32, const LAST: u32>(
        self,
        pieces: impl Iterator<Item = &'o [u8]>,
    ) -> Digest {
        let mut state = Sip::new(self.0);
        let (mut words, mut half) = (0_u64, 0);
        for piece in pieces {
            for word in piece.as_chunks::<4>().0 {
                let word = u64::from(u32::from_le_bytes(*word));
                if words % 2 == 1 {
                    state.take::<EACH>(half | word << 32);
                }
                half = word;
                words += 1;
            }
        }
        let rest = if words % 2 == 1 { half } else { 0 };
        state.take::<EACH>(rest | (4 * words) << 56);
        let [low, high] = [0xee, 0xdd].map(|end| state.end::<LAST>(end));
        Digest([low as u32, (low >> 32) as u32, high as u32, (high >> 32) as u32])
    }
}

struct Sip([u64; 4]);

impl Sip {
    fn new([first, second]: [u64; 2]) -> Self {
        Self([
            first ^ 0x736f_6d65_7073_6575,
            second ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            first ^ 0x6c79_6765_6e65_7261,
            second ^ 0x7465_6462_7974_6573,
        ])
    }

    #[inline]
    fn take<const ROUNDS: u32>(&mut self, word: u64) {
        self.0[3] ^= word;
        (0..ROUNDS).for_each(|_| self.round());
        self.0[0] ^= word;
    }

    /// Half of the digest.
    fn end<const ROUNDS: u32>(&mut self, half: u64) -> u64 {
        self.0[if half == 0xee { 2 } else { 1 }] ^= half;
        (0..ROUNDS).for_each(|_| self.round());
        self.0.iter().fold(0, |all, each| all ^ each)
    }

    #[inline]
    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.0;
        a = a.wrapping_add(b);
        c = c.wrapping_add(d);
        b = b.rotate_left(13) ^ a;
        d = d.rotate_left(16) ^ c;
        a = a.rotate_left(32);
        c = c.wrapping_add(b);
        a = a.wrapping_add(d);
        b = b.rotate_left(17) ^ c;
        d = d.rotate_left(21) ^ a;
        c = c.rotate_left(32);
        self.0 = [a, b, c, d];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those of the test vectors that its authors give for SipHash-2-4 with 128 bits that are of whole words of four octets: key 00 01 .. 0f,
    /// octets 00 01 .. of each length. They are of an end with and without half a block, and of whole blocks before it.
    #[test]
    fn it_is_siphash() {
        let key = DigestKey([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908]);
        for (length, digest) in [
            (0, 0xa381_7f04_ba25_a8e6_6df6_7214_c755_0293),
            (4, 0xf881_64c1_2d9c_8faf_7d0f_6e7c_7bcd_5579),
            (8, 0x3b62_a9ba_6258_f561_0f83_e264_f314_97b4),
            (12, 0xd626_b266_905e_f358_8263_4df6_8532_c125_u128),
        ] {
            let octets: Vec<u8> = (0..length).collect();
            let Digest(words) = key.digest_by::<2, 4>([&*octets].into_iter());
            let found = words.map(u32::to_le_bytes);
            assert_eq!(found.as_flattened(), digest.to_be_bytes(), "{length} octets");
        }
    }

    #[test]
    fn each_bit_and_the_key_count_and_pieces_do_not() {
        let key = DigestKey::new(7);
        let octets: Vec<u8> = (0..100).collect();
        let whole = key.digest([&*octets].into_iter());
        assert_eq!(key.digest([&octets[..4], &octets[4..16], &octets[16..]].into_iter()), whole);
        let mut seen = vec![whole, DigestKey::new(8).digest([&*octets].into_iter())];
        seen.push(key.digest([&octets[..96]].into_iter()));
        seen.push(key.digest([&*octets, &[0; 4]].into_iter()));
        for bit in 0..800 {
            let mut other = octets.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            seen.push(key.digest([&*other].into_iter()));
        }
        let all = seen.len();
        seen.sort_unstable_by_key(|digest| digest.0);
        seen.dedup();
        assert_eq!(seen.len(), all);
    }
}
