use std::io::{self, Read};

use secrecy::SecretString;

use super::{Known, Scrubber};

fn scrubber() -> Scrubber {
    Scrubber::new(&Known {
        secrets: vec![
            SecretString::from("corr<ct \"horse\""),
            SecretString::from("päss"),
        ],
        hosts: vec!["hmc1.lab.example".to_owned(), "*.corp.example".to_owned()],
    })
    .expect("patterns")
}

fn scrub(text: &str) -> String {
    scrubber().text(text)
}

#[test]
fn secrets_are_taken_out_wherever_they_stand() {
    let lines = [
        "admin_password = s3cr3t-value",
        "connection: password=\"s3cr3t-value with \\\"more s3cr3t-value\", user=x",
        "{\"auth\": {\"adminPass\": \"s3cr3t-value\"}}",
        r#"{\"password\": \"s3cr3t-value \\\"s3cr3t-value\"}"#,
        "{u'secret': u's3cr3t-value it\\'s s3cr3t-value'}",
        "('X-Auth-Token', 's3cr3t-value')",
        "['powervm', '--password', 's3cr3t-value']",
        "nova-manage --database-password s3cr3t-value",
        "OS_PASSWORD=s3cr3t-value",
        "curl -H \"X-Auth-Token: s3cr3t-value\" http://x",
        "X-API-Session: s3cr3t-value s3cr3t-value",
        "headers={b'X-API-Session': b's3cr3t-value'}",
        "Authorization: Basic s3cr3t-value==",
        "authorization: Digest username=\"u\", response=\"s3cr3t-value\"",
        "Set-Cookie: session=s3cr3t-value; path=/",
        "sent Bearer s3cr3t-value.more",
        "<Password kb=\"CUR\" kxe=\"false\">s3cr3t-value</Password>",
        "<X-API-Session kb=\"ROR\">\n s3cr3t-value\n</X-API-Session>",
        "&lt;ns2:Password&gt;s3cr3t-value&lt;/ns2:Password&gt;",
        "mysql+pymysql://root:s3cr3t-value@db/nova",
        "https://s3cr3t-value@git/x",
        "amqp://nova:with/s3cr3t-value@mq:5672/",
        "gAAAAABs3cr3t-value_s3cr3t-value_and_more",
        "eyJs3cr3t-value.eyJs3cr3t-value.s3cr3t-value",
        "root:$6$salt$s3cr3t-value:1:2",
        "-----BEGIN RSA PRIVATE KEY-----\ns3cr3t-value\ns3cr3t-value\n-----END RSA PRIVATE KEY-----",
        "key: \"-----BEGIN PRIVATE KEY-----\\ns3cr3t-value\\n-----END PRIVATE KEY-----\\n\" rest",
        "-----BEGIN OPENSSH PRIVATE KEY-----\ns3cr3t-value and no end",
    ];
    for line in lines {
        let clean = scrub(line);
        assert!(!clean.contains("s3cr3t-value"), "{line}\nbecame {clean}");
        assert!(clean.contains("***"), "{line}\nbecame {clean}");
    }
    assert_eq!(scrub("mysql://root:x@db/nova"), "mysql://***@db/nova");
    assert_eq!(scrub("a password = x\nb"), "a password = ***\nb");
}

#[test]
fn known_secrets_are_taken_out_in_every_spelling() {
    for spelling in [
        "corr<ct \"horse\"",
        "corr%3Cct%20%22horse%22",
        "corr<ct \\\"horse\\\"",
        "corr&lt;ct \"horse\"",
        "corr&lt;ct &quot;horse&quot;",
        "päss",
        "p%C3%A4ss",
    ] {
        assert_eq!(scrub(&format!("1 {spelling} 2")), "1 *** 2", "{spelling}");
    }
    let known = Known {
        secrets: vec![SecretString::from("hush-hush")],
        ..Known::default()
    };
    assert!(!format!("{known:?}").contains("hush-hush"));
}

#[test]
fn addresses_become_others_and_stay_apart() {
    let text = "from 10.1.2.3 to 9.114.7.8:12443, again 10.1.2.3; 2001:470:1f0b::9, [fe80::1%eth0]:443 ::ffff:10.1.2.3.";
    assert_eq!(
        scrub(text),
        "from 192.0.2.1 to 192.0.2.2:12443, again 192.0.2.1; 2001:db8::1, [2001:db8::2%eth0]:443 2001:db8::3."
    );
    for kept in [
        "127.0.0.1:80 0.0.0.0 255.255.255.0 ::1 :: [::]:80",
        "std::fmt::Display, a::b::Cde, 12:34:56.789, version 1.1.27, 1.2.3.4.5",
        "00:11:22:33:44:55 and c0:50:76:0a:bb:cc:00:10",
        "2026-11-23T03:40:37.123456Z 300.1.2.3 192.0.2.77",
        "0000:00:1f.2",
    ] {
        assert_eq!(scrub(kept), kept);
    }
    assert!(!scrub("http://192.168.1.20/ inet6 addr:fd00:1:2::3/64 v10.0.0.7").contains("192.168"));
    assert!(!scrub("peer=10.9.8.7:22,10.9.8.6").contains("10.9.8"));
    assert!(!scrub("010.009.008.007").contains("008"));
}

#[test]
fn many_addresses_take_no_more_pseudonyms_than_there_are() {
    let mut scrubber = scrubber();
    for number in 0..2000_u32 {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string();
        let clean = scrubber.text(&address);
        assert!(
            clean.starts_with("192.0.2.")
                || clean.starts_with("198.51.100.")
                || clean.starts_with("203.0.113."),
            "{address} became {clean}"
        );
    }
}

#[test]
fn names_of_hosts_and_what_is_below_them_become_others() {
    assert_eq!(
        scrub("HMC1.lab.example, vios.hmc1.lab.example:443 a.b.corp.example corp.example"),
        "host-1, host-1:443 host-2 host-2"
    );
    let kept = "hmc1.lab.example-2 xcorp.example";
    assert_eq!(scrub(kept), kept);
}

/// Gives a few bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(buffer.len()).min(self.0.len());
        let (now, later) = self.0.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

#[test]
fn nothing_slips_through_where_windows_meet() {
    let key = format!(
        "-----BEGIN EC PRIVATE KEY-----\n{}-----END EC PRIVATE KEY-----",
        "s3cr3t-value\n".repeat(300)
    );
    let plants = [
        "password=s3cr3t-value",
        "{\"token\": \"s3cr3t-value\"}",
        "https://u:s3cr3t-value@h/",
        key.as_str(),
    ];
    // Around the place where the first window is cut, with and without ends of lines.
    let window = super::stream::tests_window();
    for filler in ["x y\n", "xyz "] {
        for plant in plants {
            for shift in (0..plant.len() + 8).step_by(plant.len() / 5 + 1) {
                let mut text = filler.repeat((window - shift) / 4).into_bytes();
                text.extend(plant.as_bytes());
                text.extend(b" ");
                text.extend(filler.repeat(window / 3).as_bytes());
                let mut clean = Vec::new();
                scrubber()
                    .copy(text.as_slice(), &mut clean)
                    .expect("a text");
                let clean = String::from_utf8(clean).expect("text");
                assert!(!clean.contains("s3cr3t-value"), "{plant} at -{shift}");
                assert!(clean.ends_with(filler) && clean.len() + plant.len() > text.len());
            }
        }
    }
}

#[test]
fn small_reads_and_huge_secrets_do_not_matter() {
    let text = b"a 10.0.0.1 b\npassword: hunter2\n".repeat(50);
    let mut clean = Vec::new();
    let places = scrubber().copy(Slow(&text, 7), &mut clean).expect("a text");
    assert_eq!(places, 100);
    assert_eq!(clean, b"a 192.0.2.1 b\npassword: ***\n".repeat(50));

    let mut huge = b"before token=".to_vec();
    huge.extend(std::iter::repeat_n(b'k', 3 << 20));
    huge.extend(b" after");
    let mut clean = Vec::new();
    scrubber()
        .copy(huge.as_slice(), &mut clean)
        .expect("a text");
    let clean = String::from_utf8(clean).expect("text");
    assert!(
        clean.starts_with("before ") && clean.ends_with(" after") && clean.len() < 200,
        "{} bytes",
        clean.len()
    );
    assert!(!clean.contains("kkk"));
}

#[test]
fn json_keeps_its_shape() {
    let mut value = serde_json::json!({
        "event": "environment", "secret_count": 5,
        "facts": {"os_password": "s3cr3t", "endpoint": "https://10.0.0.1", "n": [1, "9.9.9.9"]},
    });
    scrubber().value(&mut value);
    assert_eq!(
        value,
        serde_json::json!({
            "event": "environment", "secret_count": 5,
            "facts": {"os_password": "***", "endpoint": "https://192.0.2.1", "n": [1, "192.0.2.2"]},
        })
    );
}
