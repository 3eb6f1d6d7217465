//! Jobs, events and errors.

use powervm_schema::atom::Entry;
use powervm_schema::job as jobs;
use powervm_simulator::model::Flavor;

use super::documents::assert_fits;
use super::support::{Bench, FLAVORS, job};

#[test]
fn events_and_errors_fit_their_tables() {
    let bench = Bench::busy(Flavor::NovaLink);
    let events: Vec<_> = bench.world.events.events().cloned().collect();
    let feed = powervm_schema::atom::Feed::parse(bench.events(&events).body.to_string().as_bytes())
        .unwrap();
    assert_eq!(feed.entries.len(), events.len());
    for (entry, event) in feed.entries.iter().zip(&events) {
        let found = powervm_schema::event::Event(&entry.content).inspect();
        assert!(found.is_clean(), "{found:?}");
        assert_eq!(
            entry.content.child_value("EventID"),
            Some(event.id.to_string().as_str())
        );
    }
    let data = feed
        .entries
        .iter()
        .filter_map(|entry| entry.content.child_value("EventData"));
    assert!(
        data.clone()
            .any(|data| data.contains("/ManagedSystem/") && data.contains("/LogicalPartition/"))
    );
    let error = powervm_simulator::render::ErrorDocument {
        status: 503,
        reason: "Unknown internal error.",
        message: "HSCL3205 <busy> & \"more\"",
        uri: "/rest/api/uom/X?group=None",
        headers: &[("accept", "*/*"), ("x-api-session", "token")],
        transaction: "XT10000001",
    };
    let text = error.render("V1_5_0", bench.now);
    let entry = Entry::parse(text.as_bytes()).unwrap();
    let view = powervm_schema::error::HttpErrorResponse(&entry.content);
    assert!(view.inspect().is_clean() && entry.links.is_empty() && entry.etag.is_none());
    assert_eq!(
        entry.content.child_value("Message"),
        Some("HSCL3205 <busy> & \"more\"")
    );
}

#[test]
fn jobs_have_templates_and_responses() {
    for flavor in FLAVORS {
        let mut bench = Bench::new(flavor, 1, 1);
        let partition = bench.partitions().pop().unwrap();
        let url = format!("uom/LogicalPartition/{partition}/do/PowerOff");
        let template = bench.entry(&url);
        assert_fits(&url, &template.content);
        assert!(template.links.is_empty() && template.content.child("JobParameters").is_some());
        assert_eq!(
            template
                .content
                .descend(&["RequestedOperation", "GroupName"])
                .unwrap()
                .text(),
            "LogicalPartition"
        );
        let answer = bench
            .put(
                &url,
                &job(
                    "PowerOff",
                    &[("operation", "shutdown"), ("immediate", "true")],
                ),
            )
            .unwrap();
        let answer = Entry::parse(answer.as_bytes()).unwrap();
        assert_fits(&url, &answer.content);
        let id = answer.content.child_value("JobID").unwrap().to_owned();
        bench.pass(1_000_000);
        let read = bench.entry(&format!("uom/jobs/{id}?group=None"));
        assert_eq!(
            jobs::JobResponse(&read.content).0.child_value("JobID"),
            Some(id.as_str())
        );
        assert!(
            read.content
                .child_value("Status")
                .unwrap()
                .starts_with("COMPLETED")
        );
        let results = read.content.child("Results").unwrap();
        assert!(
            results
                .children_named("JobParameter")
                .all(|p| p.child("ParameterValue").is_some())
        );
        assert_eq!(
            bench
                .feed(&format!("uom/LogicalPartition/{partition}/jobs"))
                .entries
                .len(),
            1
        );
        bench.delete(&format!("uom/jobs/{id}")).unwrap();
        assert_eq!(
            bench.try_get(&format!("uom/jobs/{id}")).unwrap_err().status,
            404
        );
        assert_eq!(
            bench
                .try_get(&format!("uom/LogicalPartition/{partition}/do/Fly"))
                .unwrap_err()
                .status,
            400
        );
    }
}
