//! Maps whose keys are more than a text, written as a list of pairs: JSON has no other place for them.

use imbl::OrdMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<K, V, S>(map: &OrdMap<K, V>, serializer: S) -> Result<S::Ok, S::Error>
where
    K: Ord + Clone + Serialize,
    V: Clone + Serialize,
    S: Serializer,
{
    serializer.collect_seq(map.iter())
}

pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<OrdMap<K, V>, D::Error>
where
    K: Ord + Clone + Deserialize<'de>,
    V: Clone + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Vec::<(K, V)>::deserialize(deserializer)?
        .into_iter()
        .collect())
}
