//! Names of what a deploy makes in storage.
//!
//! Other hosts of the same shared storage pool look these names up, some of them with other
//! software, so they are kept to the letter. A name of a file, logical unit, virtual disk or
//! medium has the characters `A-Z a-z 0-9 . _` only; what else is asked for becomes `_`.

use uuid::Uuid;

/// Longest name of a file or a logical unit, in characters.
pub const MAX_FILE_NAME: usize = 79;
/// Longest name of a virtual disk.
pub const MAX_VIRTUAL_DISK_NAME: usize = 15;
/// Longest name of an optical medium.
pub const MAX_MEDIUM_NAME: usize = 37;
/// Length of what a marker logical unit has before the image's name: `part` and 8 digits.
pub const MARKER_PREFIX_LENGTH: usize = 12;

const MARKER_START: &str = "part";
/// Name of a media repository that the driver makes.
pub const REPOSITORY: &str = "vopt";

/// `prefix`, as much of `name` as fits, `suffix`; at most `max` characters, all of them legal.
#[must_use]
pub fn sanitised(prefix: &str, name: &str, suffix: &str, max: usize) -> String {
    let room = max.saturating_sub(prefix.len() + suffix.len());
    [
        legal(prefix),
        legal(name).chars().take(room).collect(),
        legal(suffix),
    ]
    .concat()
}

fn legal(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' || c == '_' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// Name of an instance's boot disk in a shared storage pool.
#[must_use]
pub fn boot_unit(instance_name: &str) -> String {
    sanitised("boot_", instance_name, "", MAX_FILE_NAME)
}

/// The two names that an instance's boot disk in a shared storage pool has in turn, the usual one first: one that is made
/// anew is there before the old one goes.
#[must_use]
pub fn boot_units(instance_name: &str) -> [String; 2] {
    let usual = boot_unit(instance_name);
    let other = other_unit(&usual);
    [usual, other]
}

/// Of the two names of a boot disk in a pool, the other one: with a dot at the end, or without.
#[must_use]
pub fn other_unit(name: &str) -> String {
    match name.strip_suffix('.') {
        Some(name) => name.to_owned(),
        None => {
            let start: String = name.chars().take(MAX_FILE_NAME - 1).collect();
            format!("{start}.")
        }
    }
}

/// Whether a logical unit's name is one that this driver gives to an instance's own disk.
#[must_use]
pub fn is_instance_unit(name: &str) -> bool {
    name.starts_with("boot_") || name.starts_with("rescue_")
}

/// Whether a logical unit's name is that of an instance's boot disk.
#[must_use]
pub fn is_boot_unit(name: &str) -> bool {
    name.starts_with("boot_")
}

/// Name of an instance's boot disk in a volume group: `b_`, 8 characters of the name, `_`, 4 of the UUID.
#[must_use]
pub fn boot_virtual_disk(instance_name: &str, instance: Uuid) -> String {
    short_name("b_", instance_name, instance)
}

/// The two names that an instance's boot disk in a volume group has in turn, the usual one first: one that is made anew
/// is there before the old one goes, and names of virtual disks are unique.
#[must_use]
pub fn boot_virtual_disks(instance_name: &str, instance: Uuid) -> [String; 2] {
    let usual = boot_virtual_disk(instance_name, instance);
    let other = other_virtual_disk(&usual);
    [usual, other]
}

/// Of the two names of a boot disk in a volume group, the other one: a dot before the UUID's characters, or none.
#[must_use]
pub fn other_virtual_disk(name: &str) -> String {
    let mark = name.len().saturating_sub(5);
    match (
        name.get(..mark),
        name.get(mark..mark + 1),
        name.get(mark + 1..),
    ) {
        (Some(start), Some("."), Some(tail)) => format!("{start}_{tail}"),
        (Some(start), Some(_), Some(tail)) => format!("{start}.{tail}"),
        _ => format!("{name}."),
    }
}

fn short_name(prefix: &str, instance_name: &str, instance: Uuid) -> String {
    let start: String = legal(instance_name).chars().take(8).collect();
    let tail: String = instance.hyphenated().to_string().chars().take(4).collect();
    format!("{prefix}{start}_{tail}")
}

/// Name of an instance's rescue disk in a shared storage pool.
#[must_use]
pub fn rescue_unit(instance_name: &str) -> String {
    sanitised("rescue_", instance_name, "", MAX_FILE_NAME)
}

/// Whether a logical unit's name is that of some instance's rescue disk.
#[must_use]
pub fn is_rescue_unit(name: &str) -> bool {
    name.starts_with("rescue_")
}

/// Name of an instance's rescue disk in a volume group: as that of its boot disk, with `r_`.
#[must_use]
pub fn rescue_virtual_disk(instance_name: &str, instance: Uuid) -> String {
    short_name("r_", instance_name, instance)
}

/// Whether a virtual disk's name is that of some instance's rescue disk.
#[must_use]
pub fn is_rescue_virtual_disk(name: &str) -> bool {
    name.starts_with("r_")
}

/// Whether a virtual disk's name is one that this driver gives to an instance's own disk.
#[must_use]
pub fn is_instance_virtual_disk(name: &str) -> bool {
    name.starts_with("b_") || name.starts_with("r_")
}

/// Whether a virtual disk's name is that of an instance's boot disk.
#[must_use]
pub fn is_boot_virtual_disk(name: &str) -> bool {
    name.starts_with("b_")
}

/// Name of a cached image in a volume group.
#[must_use]
pub fn image_virtual_disk(image: Uuid) -> String {
    let start: String = image.hyphenated().to_string().chars().take(13).collect();
    format!("i_{}", legal(&start))
}

/// Whether a virtual disk's name is that of a cached image.
#[must_use]
pub fn is_image_virtual_disk(name: &str) -> bool {
    name.starts_with("i_")
}

/// Name of an instance's config drive.
#[must_use]
pub fn config_drive(instance: Uuid) -> String {
    sanitised(
        "cfg_",
        &instance.simple().to_string(),
        ".iso",
        MAX_MEDIUM_NAME,
    )
}

/// The two names that an instance's config drive has in turn, the usual one first: one that is made anew is there before
/// the old one goes.
#[must_use]
pub fn config_drives(instance: Uuid) -> [String; 2] {
    let digits = instance.simple().to_string();
    let other = sanitised("cfg_", &digits, "_.iso", MAX_MEDIUM_NAME);
    [config_drive(instance), other]
}

/// The last part of a device name: servers report `/dev/x` where `x` was asked for.
#[must_use]
pub fn base_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Names under which an image may be found in a shared storage pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUnitName {
    current: String,
    cut: Option<String>,
}

impl ImageUnitName {
    /// Names for an image by its name and its MD5 checksum.
    ///
    /// A marker's name has to hold the whole image's name, so that has 67 characters at most. Where
    /// it would be longer, the image's name is cut and the checksum is kept, so that two images
    /// never share a name. Drivers of the Python family cut the end, the checksum, instead; what
    /// they uploaded is found under that name too.
    #[must_use]
    pub fn of(image_name: &str, checksum: &str) -> Self {
        let suffix = format!("_{checksum}");
        let max = MAX_FILE_NAME - MARKER_PREFIX_LENGTH;
        let current = sanitised("image_", image_name, &suffix, max);
        let cut: String = sanitised("image_", image_name, &suffix, MAX_FILE_NAME)
            .chars()
            .take(max)
            .collect();
        Self {
            cut: (cut != current).then_some(cut),
            current,
        }
    }

    /// The name under which this driver uploads.
    #[must_use]
    pub fn current(&self) -> &str {
        &self.current
    }

    /// Whether a logical unit of this name is the image.
    #[must_use]
    pub fn is_image(&self, name: &str) -> bool {
        name == self.current || self.cut.as_deref() == Some(name)
    }

    /// Whether a logical unit of this name says that somebody uploads the image: any other name that
    /// ends with the image's.
    #[must_use]
    pub fn is_marker(&self, name: &str) -> bool {
        !self.is_image(name)
            && (name.ends_with(&self.current)
                || self.cut.as_deref().is_some_and(|cut| name.ends_with(cut)))
    }

    /// Name of a marker; `tag` tells uploaders apart, and the lowest name wins.
    #[must_use]
    pub fn marker(&self, tag: u32) -> String {
        format!("{MARKER_START}{tag:08x}{}", self.current)
    }
}

/// Whether this is some image's marker: `part`, 8 hexadecimal digits, and more.
#[must_use]
pub fn is_any_marker(name: &str) -> bool {
    name.strip_prefix(MARKER_START)
        .and_then(|rest| rest.get(..8).map(|tag| (tag, rest.len() > 8)))
        .is_some_and(|(tag, more)| more && tag.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INSTANCE: Uuid = Uuid::from_u128(0xfa3b_7c44_0d2e_4b5f_9c11_8e6f_00aa_10bc);
    const MD5: &str = "64d7c1cd2b6f60c92c14662941cb7913";

    #[test]
    fn names_are_those_that_other_hosts_look_up() {
        assert_eq!(boot_unit("web server/1"), "boot_web_server_1");
        assert_eq!(
            boot_virtual_disk("instance-00000001", INSTANCE),
            "b_instance_fa3b"
        );
        assert_eq!(rescue_unit("web server/1"), "rescue_web_server_1");
        assert_eq!(
            rescue_virtual_disk("instance-00000001", INSTANCE),
            "r_instance_fa3b"
        );
        assert_eq!(image_virtual_disk(INSTANCE), "i_fa3b7c44_0d2e");
        assert_eq!(
            config_drive(INSTANCE),
            "cfg_fa3b7c440d2e4b5f9c118e6f00aa1.iso"
        );
        assert_eq!(config_drive(INSTANCE).len(), MAX_MEDIUM_NAME);
        assert_eq!(base_name("/dev/b_instance_fa3b"), "b_instance_fa3b");
    }

    #[test]
    fn what_is_made_anew_has_the_other_of_two_names() {
        let [usual, other] = boot_virtual_disks("instance-00000001", INSTANCE);
        assert_eq!((&*usual, &*other), ("b_instance_fa3b", "b_instance.fa3b"));
        assert_eq!(other_virtual_disk(&other), usual);
        assert!(is_boot_virtual_disk(&other) && is_instance_virtual_disk(&other));
        let [usual, other] = config_drives(INSTANCE);
        assert_eq!(usual, config_drive(INSTANCE));
        assert_eq!(other, "cfg_fa3b7c440d2e4b5f9c118e6f00aa_.iso");
        assert_eq!(other_virtual_disk(""), ".");
        let [usual, other] = boot_units("web server/1");
        assert_eq!(
            (&*usual, &*other),
            ("boot_web_server_1", "boot_web_server_1.")
        );
        assert_eq!(other_unit(&other), usual);
        assert!(is_boot_unit(&other) && boot_units(&"a".repeat(90))[1].len() == MAX_FILE_NAME);
    }

    #[test]
    fn an_image_is_named_after_its_name_and_checksum() {
        let names = ImageUnitName::of("cirros 0.4", MD5);
        assert_eq!(names.current(), format!("image_cirros_0.4_{MD5}"));
        assert_eq!(
            names.marker(0x1c),
            format!("part0000001cimage_cirros_0.4_{MD5}")
        );
        assert!(names.is_marker(&names.marker(7)) && !names.is_image(&names.marker(7)));
        assert!(is_any_marker(&names.marker(7)) && !is_any_marker(names.current()));
    }

    #[test]
    fn a_long_image_name_keeps_its_checksum_and_old_uploads_are_found() {
        let name = "a".repeat(60);
        let names = ImageUnitName::of(&name, MD5);
        assert!(names.current().ends_with(MD5) && names.current().len() == 67);
        assert_eq!(names.marker(0).len(), MAX_FILE_NAME);
        let old = format!("image_{}_{}", "a".repeat(40), &MD5[..20]);
        assert!(names.is_image(&old) && names.is_marker(&format!("part00000000{old}")));
        let other = ImageUnitName::of(&name, "0123456789abcdef0123456789abcdef");
        assert_ne!(names.current(), other.current());
        assert!(!other.is_image(&old));
    }

    proptest! {
        #[test]
        fn no_text_makes_an_illegal_or_long_name(name in ".{0,120}", bits in any::<u128>()) {
            let legal = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'_');
            let uuid = Uuid::from_u128(bits);
            let image = ImageUnitName::of(&name, MD5);
            prop_assert!(legal(&boot_unit(&name)) && boot_unit(&name).len() <= MAX_FILE_NAME);
            prop_assert!(legal(image.current()) && image.marker(1).len() <= MAX_FILE_NAME);
            let disk = boot_virtual_disk(&name, uuid);
            prop_assert!(legal(&disk) && disk.len() <= MAX_VIRTUAL_DISK_NAME);
            prop_assert!(legal(&config_drive(uuid)) && config_drive(uuid).len() <= MAX_MEDIUM_NAME);
        }
    }
}
