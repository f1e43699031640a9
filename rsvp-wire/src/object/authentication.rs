//! AUTH_USER and AUTH_APP, RFC 3182 3, the policy elements that say who asks for a reservation, and the registry of
//! their attributes. RFC 2872 says what an application puts into them.
//!
//! ```text
//! attribute                                              POLICY_ERROR_OBJECT
//! | Length                |  A-Type   |  SubType  |      | 0 (Reserved)          | ErrorValue            |
//! | Value ...                                            | OctetString ...
//! ```
//!
//! Nothing is decrypted and no signature is verified.

use super::policy_data::POLICY_ELEMENTS;
use crate::layout::{Head, Space, layout, record, record_rows};

/// Authentication attributes, RFC 3182 3.3.
pub static AUTHENTICATION_ATTRIBUTES: Space = Space {
    name: "authentication attribute",
    header: &[Head::Length(16), Head::Type(8, "a_type"), Head::Extra(8, "sub_type")],
    unit: 1,
    counts_header: true,
    align: 4,
    rows: record_rows! {
        1 "POLICY_LOCATOR" "RFC 3182 3.3.1" laid POLICY_LOCATOR;
        2 "CREDENTIAL" "RFC 3182 3.3.2" laid CREDENTIAL;
        3 "DIGITAL_SIGNATURE" "RFC 3182 3.3.3" typed DigitalSignature;
        4 "POLICY_ERROR_OBJECT" "RFC 3182 3.3.4" typed PolicyErrorObject;
    },
};

/// RFC 3182 3.3.4.
const ERROR_VALUES: &[(u64, &str)] = &[
    (1, "ERROR_NO_MORE_INFO"),
    (2, "UNSUPPORTED_CREDENTIAL_TYPE"),
    (3, "INSUFFICIENT_PRIVILEGES"),
    (4, "EXPIRED_CREDENTIAL"),
    (5, "IDENTITY_CHANGED"),
];

record! {
    /// AUTH_USER, RFC 3182 3.2.
    pub AuthUser<'a>: POLICY_ELEMENTS 2 {
        /// What is known of the user.
        attributes(records AUTHENTICATION_ATTRIBUTES);
    }

    /// AUTH_APP, RFC 3182 3.2 and RFC 2872 2.
    pub AuthApp<'a>: POLICY_ELEMENTS 3 {
        /// What is known of the application.
        attributes(records AUTHENTICATION_ATTRIBUTES);
    }

    /// POLICY_LOCATOR, RFC 3182 3.3.1. The sub-type, [`RecordRef::extra`](crate::layout::RecordRef::extra), is 1 for
    /// ASCII_DN, 2 for UNICODE_DN, 3 and 4 for these encrypted.
    pub PolicyLocator<'a>: AUTHENTICATION_ATTRIBUTES 1 {
        /// A distinguished name.
        distinguished_name(octets);
    }

    /// CREDENTIAL, RFC 3182 3.3.2. The sub-type, [`RecordRef::extra`](crate::layout::RecordRef::extra), is 1 for
    /// ASCII_ID, 2 for UNICODE_ID, 3 for KERBEROS_TKT, 4 for X509_V3_CERT, 5 for PGP_CERT.
    pub Credential<'a>: AUTHENTICATION_ATTRIBUTES 2 {
        /// An identification, a ticket or a certificate.
        credential(octets);
    }

    /// DIGITAL_SIGNATURE, RFC 3182 3.3.3. It is of all that precedes it in its element.
    pub DigitalSignature<'a>: AUTHENTICATION_ATTRIBUTES 3 {
        /// As the credential's method has it.
        signature(octets);
    }

    /// POLICY_ERROR_OBJECT, RFC 3182 3.3.4.
    pub PolicyErrorObject<'a>: AUTHENTICATION_ATTRIBUTES 4 {
        /// Zero.
        reserved(reserved u16);
        /// Why the element was not accepted.
        error_value(u16 code ERROR_VALUES);
        /// More about it, perhaps for a human.
        information(text);
    }
}

layout! {
    POLICY_LOCATOR {
        value(choice sub_type { 1 => NAME, _ => ENCODED_NAME });
    }
    NAME {
        distinguished_name(text);
    }
    ENCODED_NAME {
        distinguished_name(octets);
    }
    CREDENTIAL {
        value(choice sub_type { 1 => IDENTIFICATION, _ => ENCODED_CREDENTIAL });
    }
    IDENTIFICATION {
        credential(text);
    }
    ENCODED_CREDENTIAL {
        credential(octets);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::octets;
    use super::*;
    use crate::error::Why;
    use crate::layout::{Records, RecordsWriter};

    #[test]
    fn attributes() {
        // By hand from RFC 3182 3.2 and 3.3: a locator and a credential of odd lengths, a signature, an error.
        let hex = "0034 0002
            000a 0101 434e3d416e6e 0000
            0009 0201 616e6e6131 000000
            000c 0300 d1d2d3d4 d5d6d7d8
            000b 0400 0000 0004 6f6c64 00";
        let locator = PolicyLocator { distinguished_name: b"CN=Ann" };
        let credential = Credential { credential: b"anna1" };
        let signature = DigitalSignature { signature: &[0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8] };
        let error = PolicyErrorObject { reserved: 0, error_value: 4, information: b"old" };
        let (mut inside, mut room) = ([0; 64], [0; 64]);
        let writer = RecordsWriter::new(&AUTHENTICATION_ATTRIBUTES, &mut inside);
        let writer = writer.put_with(&locator, 1).put_with(&credential, 1).put(&signature).put(&error);
        let attributes = writer.finish().unwrap();
        let user = AuthUser { attributes };
        let elements = RecordsWriter::new(&POLICY_ELEMENTS, &mut room).put(&user).finish().unwrap();
        assert_eq!(elements.octets(), octets(hex));
        let element = elements.iter().next().unwrap().unwrap();
        assert_eq!((element.read(), element.octets().len()), (Ok(user), 52));
        let mut attributes = user.attributes.iter().map(Result::unwrap);
        let first = attributes.next().unwrap();
        assert_eq!((first.extra, first.read()), (1, Ok(locator)));
        assert_eq!(attributes.next().unwrap().read(), Ok(credential));
        assert_eq!(attributes.next().unwrap().read(), Ok(signature));
        assert_eq!(attributes.next().unwrap().read(), Ok(error));
    }

    #[test]
    fn lengths_that_do_not_fit() {
        let octets = octets("0010 0003 000d 0101 434e3d41 00000000");
        let element = Records::over(&POLICY_ELEMENTS, &octets).iter().next().unwrap().unwrap();
        assert_eq!(
            element.read::<AuthApp<'_>>().map_err(|error| (error.at, error.why)),
            Err((4, Why::BodyLength))
        );
        assert_eq!(element.read::<AuthUser<'_>>().map_err(|error| error.why), Err(Why::UnknownCType));
    }
}
