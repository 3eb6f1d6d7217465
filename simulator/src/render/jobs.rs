//! Jobs on the wire: their entries and feeds, and templates of new ones (`docs/protocol/jobs.md`).

use uuid::Uuid;

use super::context::{self, Context};
use super::envelope::Content;
use super::found::Selection;
use super::{Rendered, console, envelope, job};
use crate::http::problem::Problem;
use crate::http::target::Target;
use crate::model::job::Job;
use crate::model::job::catalogue::Operation;
use crate::model::{Refusal, Resource};

/// The jobs of the resource that a URL names, or all; nothing if there are none.
pub(super) fn feed(cx: &Context<'_>, target: &Target) -> Result<Option<Rendered>, Problem> {
    let resource = match target.steps.is_empty() {
        true => None,
        false => {
            Selection::of(cx.world, target)?;
            target.id()
        }
    };
    let jobs = cx
        .world
        .jobs
        .values()
        .filter(|job| resource.is_none() || job.target.uuid() == resource);
    let contents: Vec<(Content, String)> =
        jobs.map(|job| (content(cx, job), href(cx, job))).collect();
    if contents.is_empty() {
        return Ok(None);
    }
    let path = match target.path() {
        root if root.is_empty() => "jobs".to_owned(),
        resource => format!("{resource}/jobs"),
    };
    let href = cx.href(&format!("{path}{}", cx.groups.query()));
    let entries = contents
        .iter()
        .map(|(content, href)| (content, href.clone()));
    Ok(Some(Rendered {
        body: envelope(cx, &console(cx)).feed(&href, &path, entries),
        etag: None,
    }))
}

fn content(cx: &Context<'_>, job: &Job) -> Content {
    let id = context::named(cx.world.console.uuid, &format!("jobs/{}", job.id)).to_string();
    Content {
        id,
        title: "JobResponse",
        service: "web",
        etag: None,
        xml: job::render(cx, job).into(),
    }
}

fn href(cx: &Context<'_>, job: &Job) -> String {
    cx.href(&format!("jobs/{}", job.id))
}

/// A job's entry. An HMC answers a read with two SELF links, the first broken, and an etag in the header alone
/// (cassette `refresher.yml`); the answer to the submission has the one plain link and no etag.
pub(super) fn entry(cx: &Context<'_>, job: &Job, read: bool) -> Rendered {
    let content = content(cx, job);
    let href = href(cx, job);
    if !read {
        return Rendered {
            body: envelope(cx, &None).entry(&content, &[&href]),
            etag: None,
        };
    }
    let etag = cx
        .world
        .etag(&Resource::Job(job.id), Default::default())
        .map(|etag| etag.0);
    let body = if cx.is_hmc() {
        let broken = format!("nulljobs/{}", job.id);
        let reading = Uuid::new_v3(&Uuid::NAMESPACE_OID, &cx.now.0.to_be_bytes());
        let unique = format!("{href}/{reading}");
        envelope(cx, &console(cx)).entry(&content, &[&broken, &unique])
    } else {
        envelope(cx, &None).entry(&content, &[&href])
    };
    Rendered { body, etag }
}

/// The template of a job that the resource of the URL knows.
pub(super) fn template(
    cx: &Context<'_>,
    target: &Target,
    operation: &str,
) -> Result<Rendered, Problem> {
    let job_target = crate::accept::job_target(target)?;
    if !target.steps.is_empty() {
        Selection::of(cx.world, target)?;
    }
    if Operation::find(cx.world.flavor, job_target, operation).is_none() {
        return Err(Refusal::no_such_operation().into());
    }
    let id = context::named(
        cx.world.console.uuid,
        &format!("{}/do/{operation}", target.path()),
    )
    .to_string();
    let xml = job::render_template(cx, job_target, operation).into();
    let content = Content {
        id,
        title: "JobRequest",
        service: "web",
        etag: None,
        xml,
    };
    Ok(Rendered {
        body: envelope(cx, &None).entry(&content, &[]),
        etag: None,
    })
}
