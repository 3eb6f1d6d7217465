use serde_json::Value;

use super::*;

#[test]
fn the_example_makes_a_world_and_stays_what_it_is() {
    let example = Inventory::from_toml(EXAMPLE).unwrap();
    let world = example.world(Flavor::Hmc, 1, Millis::EPOCH).unwrap();
    assert_eq!(world.violations(), []);
    let exact = world
        .partitions
        .values()
        .find(|partition| partition.name == "db-1")
        .unwrap();
    assert_eq!((exact.id, exact.state.as_str()), (12, "running"));
    assert_eq!(exact.network_adapters.len(), 3);
    let written = toml::to_string(&example).unwrap();
    assert_eq!(Inventory::from_toml(&written).unwrap(), example);
}

/// Every key of the schema with the keys that it may hold, by type name.
fn keys(schema: &Value) -> std::collections::BTreeSet<String> {
    let types = schema["$defs"].as_object().unwrap().values();
    let properties = types
        .chain([schema])
        .filter_map(|one| one["properties"].as_object());
    properties
        .flat_map(|properties| properties.keys().cloned())
        .collect()
}

#[test]
fn the_example_names_every_key() {
    let schema = Inventory::schema().to_value();
    let keys = keys(&schema);
    assert!(keys.len() > 80, "{keys:?}");
    for key in keys {
        let named = [
            format!("{key} = "),
            format!("[{key}]"),
            format!(".{key}]"),
            format!("[{key}]]"),
            format!(".{key}]]"),
        ];
        let seen = EXAMPLE.lines().map(|line| line.split('#').next().unwrap());
        let seen = seen
            .into_iter()
            .any(|line| named.iter().any(|name| line.contains(name.as_str())));
        assert!(seen, "the example does not show {key}");
    }
}

#[test]
fn the_example_and_what_we_write_are_as_the_schema_says() {
    use crate::conforms::conforms;
    let schema = Inventory::schema().to_value();
    let checked = |text: &str| {
        let value: Value = toml::from_str(text).unwrap();
        conforms(&schema, &schema, &value, "")
    };
    assert_eq!(checked(EXAMPLE), Ok(()));
    for flavor in [Flavor::Hmc, Flavor::NovaLink] {
        let sizes = Sizes {
            systems: 2,
            vioses: 2,
            partitions: 3,
        };
        let text = toml::to_string(&Inventory::sized(flavor, sizes)).unwrap();
        assert_eq!(checked(&text), Ok(()));
    }
    for (right, wrong, place) in [
        ("serial = \"2125D4A\"", "seriel = \"2125D4A\"", "serial"),
        ("processors = 24", "processors = -1", "processors"),
        ("gb = 558 }", "gb = \"558\" }", "gb"),
        ("kind = \"converged\"", "kind = \"divergent\"", "kind"),
    ] {
        assert!(EXAMPLE.contains(right), "{right}");
        let refused = checked(&EXAMPLE.replacen(right, wrong, 1)).unwrap_err();
        assert!(refused.contains(place), "{refused}");
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let schema = Inventory::schema().to_value();
    assert_eq!(schema["additionalProperties"], false);
    let required = schema["$defs"]["SystemInventory"]["required"].to_string();
    assert!(
        required.contains("serial") && required.contains("vioses"),
        "{required}"
    );
    let described = |value: &Value| {
        value["description"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    };
    for (name, one) in schema["$defs"].as_object().unwrap() {
        assert!(described(one), "{name}");
        for (key, property) in one["properties"].as_object().into_iter().flatten() {
            assert!(described(property), "{name}.{key}");
        }
    }
}

#[test]
fn identities_are_kept_and_may_not_be_twice() {
    let text = EXAMPLE.replace("id = 2\n", "id = 1\n");
    let error = Inventory::from_toml(&text)
        .unwrap()
        .world(Flavor::Hmc, 1, Millis::EPOCH)
        .unwrap_err();
    assert!(error.to_string().contains("vios2"), "{error}");
    for (wrong, told) in [
        ("vlan = 101, tagged_vlans", "vlan = 9999, tagged_vlans"),
        ("mac = \"FA163E000001\"", "mac = \"no\""),
        ("switch = \"MGMTSWITCH\"", "switch = \"other\""),
        ("kind = \"AIX/Linux\"", "kind = \"Virtual IO Server\""),
        ("logical_unit = \"db-1_logs\"", "logical_unit = \"nothing\""),
        ("cloned_from = \"image_base\"", "cloned_from = \"nothing\""),
        ("vios = \"vios2\", disk", "vios = \"vios9\", disk"),
        ("pool = \"gold\"", "pool = \"silver\""),
        ("C050760000010000", "not-hexadecimal"),
        (
            "{ name = \"install.iso\", mb = 4000 }",
            "{ name = \"install.iso\", mb = 400000000 }",
        ),
    ] {
        assert!(EXAMPLE.contains(wrong), "{wrong}");
        let text = EXAMPLE.replace(wrong, told);
        let read = Inventory::from_toml(&text).unwrap();
        assert!(read.world(Flavor::Hmc, 1, Millis::EPOCH).is_err(), "{told}");
    }
}

#[test]
fn the_documentation_names_every_key() {
    const DOCUMENT: &str = include_str!("../../../docs/inventory.md");
    for key in keys(&Inventory::schema().to_value()) {
        let row = format!("| `{key}` |");
        assert!(DOCUMENT.contains(&row), "docs/inventory.md has no {key}");
    }
}

#[test]
fn novalink_runs_on_one_partition() {
    let mut inventory = Inventory::sized(Flavor::NovaLink, Sizes::default());
    inventory.systems[0].vioses[0].is_management = true;
    let both = inventory.world(Flavor::NovaLink, 0, Millis::EPOCH);
    let why = both.map(drop).unwrap_err().to_string();
    assert!(why.contains("more than one management partition"), "{why}");
    inventory.systems[0].management_partition = None;
    let world = inventory.world(Flavor::NovaLink, 0, Millis::EPOCH).unwrap();
    let servers = world.vioses.values();
    let management: Vec<_> = servers
        .filter(|vios| vios.partition.is_management)
        .collect();
    assert_eq!(management.len(), 1);
    assert_eq!(management[0].partition.name, "vios1");
    inventory.systems[0].vioses[1].is_management = true;
    assert!(inventory.world(Flavor::NovaLink, 0, Millis::EPOCH).is_err());
}
