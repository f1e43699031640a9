//! What the words of a Generalized Label mean. Which of these applies is for who knows the link and the traffic
//! parameters to say: the label itself does not (RFC 3471 3.2).
//!
//! ```text
//! SDH and SONET, RFC 4606 3       |               S               |   U   |   K   |   L   |   M   |
//! G.709 ODUk, RFC 4328 4.1        |                   Reserved                |     t3    | t2  |t1|
//! wavelength, RFC 6205 3.2, 3.3   |Grid | C.S.  |    Identifier   |              n                |
//! OTN-TDM, RFC 7139 6.1           |         TPN           |   Reserved    |        Length         |
//!                                 ~                   Bit Map          ......     | Padding Bits  ~
//! ```
//!
//! Labels of ports, fibers and packets are a whole word (RFC 3471 3.2.1). The flexible grid of RFC 7699 is not here.

use core::num::NonZeroU16;

/// Position of a signal in a multiplex of SDH or SONET, RFC 4606 3: the SUKLM label. Zero: not significant.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct SdhLabel {
    /// STS-3 or AUG-1 in the multiplex.
    pub s: u16,
    /// STS-1 SPE or VC-3 in it; 4 bits.
    pub u: u8,
    /// TUG-3 in a VC-4; 4 bits.
    pub k: u8,
    /// VT Group or TUG-2; 4 bits.
    pub l: u8,
    /// VT3 SPE (1, 2), VT2 SPE or VC-12 (3 to 5), VT1.5 SPE or VC-11 (6 to 9); 4 bits.
    pub m: u8,
}

impl SdhLabel {
    /// From a word of a label.
    pub const fn from_word(word: u32) -> Self {
        Self {
            s: (word >> 16) as u16,
            u: (word >> 12 & 0xf) as u8,
            k: (word >> 8 & 0xf) as u8,
            l: (word >> 4 & 0xf) as u8,
            m: (word & 0xf) as u8,
        }
    }

    /// As a word of a label; bits that do not fit are left out.
    pub const fn word(self) -> u32 {
        let Self { s, u, k, l, m } = self;
        (s as u32) << 16
            | (u as u32 & 0xf) << 12
            | (k as u32 & 0xf) << 8
            | (l as u32 & 0xf) << 4
            | m as u32 & 0xf
    }
}

/// Position of an ODUj in an ODUk multiplex, RFC 4328 4.1. Zero: not significant.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct OdukLabel {
    /// Zero; 22 bits.
    pub reserved: u32,
    /// 1: an undivided ODU3; 2 to 17: slot of an ODU1, 18 to 33: slot of an ODU2 in an ODU3; 6 bits.
    pub t3: u8,
    /// 1: an undivided ODU2; 2 to 5: slot of an ODU1 in an ODU2; 3 bits.
    pub t2: u8,
    /// Whether it is an ODU1.
    pub t1: bool,
}

impl OdukLabel {
    /// From a word of a label.
    pub const fn from_word(word: u32) -> Self {
        Self {
            reserved: word >> 10,
            t3: (word >> 4 & 0x3f) as u8,
            t2: (word >> 1 & 7) as u8,
            t1: word & 1 != 0,
        }
    }

    /// As a word of a label; bits that do not fit are left out.
    pub const fn word(self) -> u32 {
        let Self { reserved, t3, t2, t1 } = self;
        reserved << 10 | (t3 as u32 & 0x3f) << 4 | (t2 as u32 & 7) << 1 | t1 as u32
    }
}

/// A wavelength, RFC 6205 3.2 and 3.3.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct WavelengthLabel {
    /// 1: ITU-T DWDM, 2: ITU-T CWDM; 3 bits.
    pub grid: u8,
    /// DWDM: 1 to 4 for 100, 50, 25, 12.5 GHz; CWDM: 1 for 20 nm; 4 bits.
    pub channel_spacing: u8,
    /// Tells lasers of the same wavelength in a node from one another; 9 bits.
    pub identifier: u16,
    /// How many channels from the middle of the grid.
    pub n: i16,
}

impl WavelengthLabel {
    /// Grid of ITU-T G.694.1.
    pub const DWDM: u8 = 1;
    /// Grid of ITU-T G.694.2.
    pub const CWDM: u8 = 2;

    /// From a word of a label.
    pub const fn from_word(word: u32) -> Self {
        Self {
            grid: (word >> 29) as u8,
            channel_spacing: (word >> 25 & 0xf) as u8,
            identifier: (word >> 16 & 0x1ff) as u16,
            n: word as u16 as i16,
        }
    }

    /// As a word of a label; bits that do not fit are left out.
    pub const fn word(self) -> u32 {
        let Self { grid, channel_spacing, identifier, n } = self;
        (grid as u32 & 7) << 29
            | (channel_spacing as u32 & 0xf) << 25
            | (identifier as u32 & 0x1ff) << 16
            | n as u16 as u32
    }

    /// The frequency of a DWDM channel of known spacing: 193.1 THz + n * spacing (RFC 6205 3.1).
    pub fn frequency_thz(self) -> Option<f64> {
        let spacing_thz = match (self.grid, self.channel_spacing) {
            (Self::DWDM, 1) => 0.1,
            (Self::DWDM, 2) => 0.05,
            (Self::DWDM, 3) => 0.025,
            (Self::DWDM, 4) => 0.0125,
            _ => return None,
        };
        Some(f64::from(self.n) * spacing_thz + 193.1)
    }

    /// The wavelength of a CWDM channel of known spacing: 1471 nm + n * 20 nm (RFC 6205 3.1).
    pub fn wavelength_nm(self) -> Option<i32> {
        let known = (self.grid, self.channel_spacing) == (Self::CWDM, 1);
        known.then(|| i32::from(self.n).saturating_mul(20).saturating_add(1471))
    }
}

/// The tributary slots of an ODUj in an ODUk, RFC 7139 6.1. A label is a word and as many more as its bit map needs.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct OtnTdmLabel {
    /// Tributary Port Number; 0 for an ODUk in an OTUk; 12 bits.
    pub tpn: u16,
    /// Zero.
    pub reserved: u8,
    /// Bits of the bit map, one for each slot of the link; at most [`OtnTdmLabel::SLOTS`].
    pub slots: u16,
    /// The slot whose bit is the most significant is the first.
    pub bit_map: u128,
}

impl OtnTdmLabel {
    /// As many slots as this type holds; ODU4, the largest link there is, has 80.
    pub const SLOTS: u16 = 128;

    /// The label at the start of the words, which are taken. None at their end, and when the bit map is longer than
    /// they are or than [`OtnTdmLabel::SLOTS`].
    pub fn take(words: &mut impl Iterator<Item = u32>) -> Option<Self> {
        let head = words.next()?;
        let slots = (head & 0xfff) as u16;
        if slots > Self::SLOTS {
            return None;
        }
        let mut bit_map = 0u128;
        for place in 0..u32::from(slots).div_ceil(32) {
            bit_map |= u128::from(words.next()?) << 96u32.saturating_sub(place.saturating_mul(32));
        }
        Some(Self { tpn: (head >> 20) as u16, reserved: (head >> 12) as u8, slots, bit_map })
    }

    /// The words of the label; bits that do not fit are left out.
    pub fn words(self) -> impl Iterator<Item = u32> {
        let Self { tpn, reserved, slots, bit_map } = self;
        let slots = slots.min(Self::SLOTS);
        let head = (u32::from(tpn) & 0xfff) << 20 | u32::from(reserved) << 12 | u32::from(slots);
        let map = (0..u32::from(slots).div_ceil(32))
            .map(move |place| (bit_map << place.saturating_mul(32) >> 96) as u32);
        core::iter::once(head).chain(map)
    }

    /// The slots that the signal occupies, counted from 1.
    pub fn occupied(self) -> impl Iterator<Item = NonZeroU16> {
        let slots = (1..=self.slots.min(Self::SLOTS)).filter_map(NonZeroU16::new);
        slots.filter(move |slot| self.bit_map >> Self::SLOTS.saturating_sub(slot.get()) & 1 != 0)
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn sdh() {
        // By hand from RFC 4606 3, examples 5 and 6.
        let vc_11 = SdhLabel { s: 2, u: 3, k: 0, l: 7, m: 8 };
        assert_eq!((SdhLabel::from_word(0x0002_3078), vc_11.word()), (vc_11, 0x0002_3078));
        assert_eq!(SdhLabel::from_word(0x0009_0000), SdhLabel { s: 9, u: 0, k: 0, l: 0, m: 0 });
        assert_eq!(SdhLabel { s: 1, u: 0xff, k: 2, l: 0xff, m: 0xff }.word(), 0x0001_f2ff);
    }

    #[test]
    fn oduk() {
        // By hand from RFC 4328 4.1: t3=5 and t2=3 of its examples, and all bits.
        let odu1_in_odu3 = OdukLabel { reserved: 0, t3: 5, t2: 0, t1: false };
        assert_eq!((OdukLabel::from_word(0x50), odu1_in_odu3.word()), (odu1_in_odu3, 0x50));
        assert_eq!(OdukLabel::from_word(6), OdukLabel { reserved: 0, t3: 0, t2: 3, t1: false });
        let all = OdukLabel { reserved: 0x3f_ffff, t3: 0x3f, t2: 7, t1: true };
        assert_eq!((OdukLabel::from_word(u32::MAX), all.word()), (all, u32::MAX));
    }

    #[test]
    fn wavelengths() {
        // By hand from RFC 6205 3.2: 50 GHz, identifier 1, n -11; 3.3: 20 nm, n 2.
        let dwdm = WavelengthLabel { grid: 1, channel_spacing: 2, identifier: 1, n: -11 };
        assert_eq!((WavelengthLabel::from_word(0x2401_fff5), dwdm.word()), (dwdm, 0x2401_fff5));
        assert!((dwdm.frequency_thz().unwrap() - 192.55).abs() < 1e-9);
        assert_eq!(dwdm.wavelength_nm(), None);
        let cwdm = WavelengthLabel { grid: 2, channel_spacing: 1, identifier: 0x1ff, n: 2 };
        assert_eq!((WavelengthLabel::from_word(0x43ff_0002), cwdm.word()), (cwdm, 0x43ff_0002));
        assert_eq!((cwdm.wavelength_nm(), cwdm.frequency_thz()), (Some(1511), None));
        let spacings = [(1, 193.2), (3, 193.125), (4, 193.1125)];
        for (channel_spacing, frequency_thz) in spacings {
            let label = WavelengthLabel { grid: 1, channel_spacing, identifier: 0, n: 1 };
            assert!((label.frequency_thz().unwrap() - frequency_thz).abs() < 1e-9, "{channel_spacing}");
        }
        assert_eq!(
            WavelengthLabel { grid: 1, channel_spacing: 5, identifier: 0, n: 1 }.frequency_thz(),
            None
        );
    }

    #[test]
    fn otn_tdm() {
        // The examples of RFC 7139 6.4: an ODU1 in an OTU1, an ODU0 and an ODU1 in an ODU2, an ODU2 in an ODU3.
        let words =
            [0x0000_0000, 0x0020_0008, 0x4000_0000, 0x0010_0008, 0x5000_0000, 0x0010_0010, 0x6a00_0000];
        let mut rest = words.into_iter();
        let labels: Vec<_> = core::iter::from_fn(|| OtnTdmLabel::take(&mut rest)).collect();
        let seen: Vec<_> = labels
            .iter()
            .map(|label| (label.tpn, label.slots, label.occupied().map(NonZeroU16::get).collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            seen,
            [
                (0, 0, Vec::new()),
                (2, 8, Vec::from([2])),
                (1, 8, Vec::from([2, 4])),
                (1, 16, Vec::from([2, 3, 5, 7]))
            ]
        );
        assert!(labels.iter().flat_map(|label| label.words()).eq(words));
    }

    #[test]
    fn otn_tdm_of_many_slots() {
        // By hand from RFC 7139 6.1: an ODU4 of 80 slots, the 1st, 33rd and 80th in use; reserved bits set.
        let words = [0xfffa_5050, 0x8000_0000, 0x8000_0000, 0x0001_0000];
        let label = OtnTdmLabel::take(&mut words.into_iter()).unwrap();
        assert_eq!((label.tpn, label.reserved, label.slots), (0xfff, 0xa5, 80));
        assert!(label.occupied().map(NonZeroU16::get).eq([1, 33, 80]));
        assert!(label.words().eq(words));
        assert_eq!(OtnTdmLabel::take(&mut words.into_iter().take(3)), None, "the bit map is cut off");
        assert_eq!(OtnTdmLabel::take(&mut core::iter::once(0x81)), None, "129 slots");
        assert_eq!(OtnTdmLabel::take(&mut core::iter::empty()), None);
        let most = OtnTdmLabel { slots: 128, bit_map: 1, ..label };
        assert!(most.occupied().map(NonZeroU16::get).eq([128]));
        assert_eq!(most.words().last(), Some(1));
    }
}
