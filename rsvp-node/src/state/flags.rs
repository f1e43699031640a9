//! Facts that are so or not, several in one octet: of blocks there may be millions.

/// Makes a set of flags, each with a name to read it by and one to set it.
macro_rules! flags {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $flag:ident, $set:ident = $bit:literal;)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) struct $name(u8);

        impl $name {
            $(
                $(#[$doc])*
                #[inline]
                pub(crate) const fn $flag(self) -> bool {
                    self.0 & (1 << $bit) != 0
                }

                #[inline]
                pub(crate) const fn $set(&mut self, to: bool) {
                    self.0 = self.0 & !(1 << $bit) | (to as u8) << $bit;
                }
            )*
        }
    };
}

pub(super) use flags;
