//! Extended attribute groups: which parts of a document a request asks for (`?group=`).

use super::kind::Kind;

/// Declares [`Group`]: variant and name on the wire.
macro_rules! groups {
    ($($variant:ident = $name:literal;)*) => {
        /// An extended attribute group. Elements of a group appear only when the URL names it
        /// (`docs/protocol/urls.md`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Group {
            $(
                #[doc = concat!("`", $name, "`")]
                $variant,
            )*
        }

        impl Group {
            /// Every group, in declaration order.
            pub const EVERY: &'static [Self] = &[$(Self::$variant),*];

            /// The name as in URLs and in `group` attributes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The group with this name. `None` and `All` are no groups but sets.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

groups! {
    Advanced = "Advanced";
    EnergyManagement = "EnergyManagement";
    Hypervisor = "Hypervisor";
    Nvram = "NVRAM";
    RemoteAccess = "RemoteAccess";
    SystemNetwork = "SystemNetwork";
    TierThreshold = "TierThreshold";
    ViosFcMapping = "ViosFCMapping";
    ViosNetwork = "ViosNetwork";
    ViosScsiMapping = "ViosSCSIMapping";
    ViosStorage = "ViosStorage";
    Vnic = "VNIC";
}

/// The groups that a request asks for, and how it spelled them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GroupSet {
    bits: u32,
    asked: Option<String>,
}

impl GroupSet {
    /// The set for a request without any `group` parameter: the type's own default.
    ///
    /// A Virtual I/O Server then answers with everything that it would have to be asked for
    /// (recording `VirtualIOServer?ignoreError=true` of an HMC V8R8.6), a system with its network, other types with
    /// no group at all.
    #[must_use]
    pub fn default_for(kind: Kind) -> Self {
        let groups: &[Group] = match kind {
            Kind::VirtualIoServer => &[
                Group::ViosStorage,
                Group::ViosScsiMapping,
                Group::ViosFcMapping,
                Group::ViosNetwork,
                Group::Vnic,
            ],
            Kind::ManagedSystem => &[Group::SystemNetwork],
            _ => &[],
        };
        Self {
            bits: groups.iter().fold(0, |bits, group| bits | group.bit()),
            asked: None,
        }
    }

    /// The empty set, as `?group=None` asks for it.
    #[must_use]
    pub fn none() -> Self {
        Self {
            bits: 0,
            asked: Some("None".to_owned()),
        }
    }

    /// The set of exactly these groups, spelled in their order.
    #[must_use]
    pub fn of(groups: &[Group]) -> Self {
        if groups.is_empty() {
            return Self::none();
        }
        let names: Vec<&str> = groups.iter().map(|group| group.name()).collect();
        Self {
            bits: groups.iter().fold(0, |bits, group| bits | group.bit()),
            asked: Some(names.join(",")),
        }
    }

    /// Reads the decoded values of every `group` parameter of a URL (each may be a comma list).
    ///
    /// # Errors
    /// The first name that is no group.
    pub fn parse<'a>(values: impl IntoIterator<Item = &'a str>) -> Result<Option<Self>, &'a str> {
        let mut bits = 0;
        let mut names = Vec::new();
        for name in values
            .into_iter()
            .flat_map(|value| value.split(','))
            .map(str::trim)
        {
            match name {
                "None" | "" => {}
                "All" => bits = u32::MAX,
                _ => bits |= Group::parse(name).ok_or(name)?.bit(),
            }
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() {
            Ok(None)
        } else {
            Ok(Some(Self {
                bits,
                asked: Some(names.join(",")),
            }))
        }
    }

    /// Whether the set holds `group`.
    #[must_use]
    pub const fn contains(&self, group: Group) -> bool {
        self.bits & group.bit() != 0
    }

    /// Whether the set holds none of the groups.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bits == 0
    }

    /// Whether the URL named the groups itself (`group=None` included).
    #[must_use]
    pub const fn is_explicit(&self) -> bool {
        self.asked.is_some()
    }

    /// The groups as the request spelled them (decoded, comma-joined, in its order); SELF links repeat them so.
    #[must_use]
    pub fn asked(&self) -> Option<&str> {
        self.asked.as_deref()
    }

    /// The query for a SELF link: `?group=…`, or nothing if the request named no group.
    #[must_use]
    pub fn query(&self) -> String {
        let mut query = String::new();
        self.push_query(&mut query);
        query
    }

    /// Adds that query to a link.
    pub(crate) fn push_query(&self, link: &mut String) {
        if let Some(asked) = &self.asked {
            link.push_str("?group=");
            link.push_str(asked);
        }
    }

    /// The members as a bit set, stable within one build: a key for caches.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        self.bits
    }
}

impl Group {
    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_repetitions_read_alike() {
        let list = GroupSet::parse(["ViosFCMapping,ViosSCSIMapping"])
            .unwrap()
            .unwrap();
        let repeated = GroupSet::parse(["ViosFCMapping", "ViosSCSIMapping"])
            .unwrap()
            .unwrap();
        assert_eq!(list, repeated);
        assert_eq!(list.query(), "?group=ViosFCMapping,ViosSCSIMapping");
        assert!(list.contains(Group::ViosScsiMapping) && !list.contains(Group::ViosStorage));
    }

    #[test]
    fn none_is_explicit_and_empty() {
        let none = GroupSet::parse(["None"]).unwrap().unwrap();
        assert!(none.is_empty() && none.is_explicit());
        assert_eq!(none, GroupSet::none());
        assert_eq!(GroupSet::parse([]), Ok(None));
    }

    #[test]
    fn all_holds_every_group() {
        let all = GroupSet::parse(["All"]).unwrap().unwrap();
        assert!(Group::EVERY.iter().all(|group| all.contains(*group)));
    }

    #[test]
    fn an_unknown_name_is_told() {
        assert_eq!(
            GroupSet::parse(["ViosStorage,ViosStorageDetail"]),
            Err("ViosStorageDetail")
        );
    }
}
