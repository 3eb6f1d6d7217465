//! Names of partitions.
//!
//! A server takes 1 to 31 printable ASCII characters without brackets, quotes and shell
//! characters. Two instances whose names agree in their first 31 characters cannot live on one
//! host: the server refuses the second.

use thiserror::Error;

/// The longest partition name that a server takes, in characters.
pub const MAX_LENGTH: usize = 31;

/// Why a name cannot be a partition's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a partition's name has 1 to {MAX_LENGTH} characters, but '{name}' has none to use")]
pub struct NameError {
    /// The name that was asked for.
    pub name: String,
}

/// The partition name for an instance's name: every character that a server refuses becomes `_`,
/// and the rest is cut after 31 characters.
///
/// # Errors
/// An empty name.
pub fn partition_name(instance_name: &str) -> Result<String, NameError> {
    let name: String = instance_name
        .chars()
        .take(MAX_LENGTH)
        .map(|c| if is_legal(c) { c } else { '_' })
        .collect();
    if name.is_empty() {
        Err(NameError {
            name: instance_name.to_owned(),
        })
    } else {
        Ok(name)
    }
}

/// The name that a partition bears while it is resized on its own host.
///
/// # Errors
/// As [`partition_name`]; never for this prefix.
pub fn resizing_name(instance_name: &str) -> Result<String, NameError> {
    partition_name(&format!("resize_{instance_name}"))
}

/// The name that a partition bears while it moves to another host.
///
/// # Errors
/// As [`partition_name`]; never for this prefix.
pub fn migrating_name(instance_name: &str) -> Result<String, NameError> {
    partition_name(&format!("migrate_{instance_name}"))
}

fn is_legal(c: char) -> bool {
    c.is_ascii_alphanumeric() || " -!#%+,./:;=@^_{}".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn replaces_what_a_server_refuses() {
        assert_eq!(
            partition_name("a(b)c<d>e*f$g&h?i|j[k]l'm\"n`o").unwrap(),
            "a_b_c_d_e_f_g_h_i_j_k_l_m_n_o"
        );
        assert_eq!(
            partition_name("web 1-!#%+,./:;=@^_{}").unwrap(),
            "web 1-!#%+,./:;=@^_{}"
        );
        assert_eq!(partition_name("größe\\").unwrap(), "gr__e_");
    }

    #[test]
    fn cuts_after_31_characters() {
        assert_eq!(partition_name(&"x".repeat(40)).unwrap(), "x".repeat(31));
        assert_eq!(
            resizing_name("instance-0000000a").unwrap(),
            "resize_instance-0000000a"
        );
        assert_eq!(
            migrating_name(&"n".repeat(40)).unwrap(),
            format!("migrate_{}", "n".repeat(23))
        );
    }

    #[test]
    fn refuses_an_empty_name() {
        assert!(partition_name("").is_err());
    }

    proptest! {
        #[test]
        fn any_text_gives_a_legal_name_or_none(text in ".{1,60}") {
            let name = partition_name(&text).unwrap();
            prop_assert!(name.len() <= MAX_LENGTH && name.chars().all(is_legal));
            prop_assert_eq!(partition_name(&name).unwrap(), name);
        }
    }
}
