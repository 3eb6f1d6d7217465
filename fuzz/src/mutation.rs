//! A document of the server's own, made wrong by an input that is read as a script: what a client that edits in the
//! tree could send.

use powervm_schema::xml::Element;
use serde_json::Value;

/// Texts that a property may not expect.
const NASTY: [&str; 20] = [
    "", " ", "0", "-1", "1", "65535", "65536", "4294967296", "18446744073709551616", "0.05", "1e308", "NaN", "true",
    "None", "0x8100000000000000", "../../etc/passwd", "ä\u{2028}", "vhost0", "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "99999999999999999999.999999",
];

/// Applies the script: three bytes a step, which element and what to do with it.
pub fn apply(root: &mut Element, script: &[u8]) {
    for step in script.chunks_exact(4).take(24) {
        let &[what, high, low, how] = step else { return };
        let number = usize::from(u16::from_be_bytes([high, low]));
        let count = root.descendants().count().max(1);
        let number = number % count;
        match what % 6 {
            0 => {
                remove(root, &mut number.clone());
            }
            1 => repeat(root, number, usize::from(how)),
            2 => change(root, number, |element| {
                element.set_text(NASTY[usize::from(how) % NASTY.len()]);
            }),
            3 => {
                let other = usize::from(how) % count;
                let text = root
                    .descendants()
                    .nth(other)
                    .map(|element| element.text().into_owned())
                    .unwrap_or_default();
                change(root, number, |element| element.set_text(text));
            }
            4 => change(root, number, |element| {
                element.remove_attribute("href");
            }),
            _ => change(root, number, Element::clear),
        }
    }
}

/// The element goes, and all in it.
fn remove(parent: &mut Element, number: &mut usize) -> bool {
    let mut gone = false;
    parent.retain_children(|_| {
        if gone {
            return true;
        }
        gone = *number == 0;
        *number = number.wrapping_sub(1);
        !gone
    });
    gone || parent.children_mut().any(|child| remove(child, number))
}

/// A copy of the element lands in another one.
fn repeat(root: &mut Element, number: usize, step: usize) {
    let Some(copy) = root.descendants().nth(number).cloned() else { return };
    // Documents do not grow beyond what is worth reading.
    if copy.descendants().count() > 400 {
        return;
    }
    let count = root.descendants().count().max(1);
    let home = (number + step) % count;
    change(root, home, |element| element.push(copy));
}

fn change(root: &mut Element, number: usize, edit: impl FnOnce(&mut Element)) {
    if let Some(element) = nth(root, &mut number.clone()) {
        edit(element);
    }
}

fn nth<'e>(element: &'e mut Element, number: &mut usize) -> Option<&'e mut Element> {
    if *number == 0 {
        return Some(element);
    }
    *number -= 1;
    element.children_mut().find_map(|child| nth(child, number))
}

/// Values that a key may not expect.
const WRONG: [&str; 12] = [
    "null", "0", "1", "-1", "65535", "4294967295", "18446744073709551615", "0.5", "\"\"", "\"x\"", "[]", "{}",
];

/// The same for JSON: four bytes a step, which value and what becomes of it.
pub fn falsify(root: &mut Value, script: &[u8]) {
    for step in script.chunks_exact(4).take(8) {
        let &[high, low, what, how] = step else { return };
        let count = count(root).max(1);
        let number = usize::from(u16::from_be_bytes([high, low])).wrapping_mul(1 + usize::from(what >> 4)) % count;
        let Some(value) = find(root, &mut number.clone()) else { return };
        match (what % 4, &mut *value) {
            (0, Value::Array(list)) => list.truncate(usize::from(how)),
            (1, Value::Array(list)) if list.len() < 100 => list.extend(list.clone()),
            (0 | 1, Value::Object(map)) => {
                let key = map.keys().nth(usize::from(how) % map.len().max(1)).cloned();
                if let Some(key) = key {
                    map.remove(&key);
                }
            }
            _ => *value = serde_json::from_str(WRONG[usize::from(how) % WRONG.len()]).expect("a value"),
        }
    }
}

fn parts(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(list) => Box::new(list.iter()),
        Value::Object(map) => Box::new(map.values()),
        _ => Box::new(std::iter::empty()),
    }
}

fn count(value: &Value) -> usize {
    1 + parts(value).map(count).sum::<usize>()
}

fn find<'v>(value: &'v mut Value, number: &mut usize) -> Option<&'v mut Value> {
    if *number == 0 {
        return Some(value);
    }
    *number -= 1;
    match value {
        Value::Array(list) => list.iter_mut().find_map(|part| find(part, number)),
        Value::Object(map) => map.values_mut().find_map(|part| find(part, number)),
        _ => None,
    }
}
