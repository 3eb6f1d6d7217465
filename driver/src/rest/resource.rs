//! Reading, creating, updating and deleting resources.

use http::{Method, StatusCode};
use powervm_schema::atom::{self, Entry, Feed};
use powervm_schema::xml::Element;

use super::answer::{Answer, unreadable};
use super::exchange::{ANYTHING, ATOM, ATOM_UTF8, Exchange};
use super::path::{Groups, resolve, search};
use super::session::Session;
use crate::error::{Error, Result};

impl Session {
    /// Reads one resource. `path` is a path below `/rest/api/uom/` (`LogicalPartition/UUID`), below `/rest/api/`
    /// with its service in front (`web/File/UUID`), or any href of a document.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is none; see [`Error`] for the others.
    pub async fn get_entry(&self, path: &str, groups: Groups<'_>) -> Result<Entry> {
        let (exchange, answer) = self.read(path, groups, None).await?;
        self.entry_of(&exchange, &answer)
    }

    /// Reads one resource again if it changed since this etag: nothing when it did not.
    ///
    /// # Errors
    /// As [`Session::get_entry`].
    pub async fn get_entry_if_changed(
        &self,
        path: &str,
        groups: Groups<'_>,
        etag: &str,
    ) -> Result<Option<Entry>> {
        let (exchange, answer) = self.read(path, groups, Some(etag)).await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        self.entry_of(&exchange, &answer).map(Some)
    }

    /// Reads all resources of a kind. A feed without entries, which servers answer with 204, is an empty one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_feed(&self, path: &str, groups: Groups<'_>) -> Result<Feed> {
        let (exchange, answer) = self.read(path, groups, None).await?;
        self.feed_of(&exchange, &answer)
    }

    /// Resources of this kind whose `key` has this value, such as `PartitionName` of `LogicalPartition`. Only root
    /// resources can be searched, and only by the keys that the server knows.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn search(&self, root: &str, key: &str, value: &str) -> Result<Feed> {
        self.get_feed(&search(root, key, value), Groups::None).await
    }

    /// One quick property (`PartitionState`) of a resource, or with an empty name all of them, as JSON.
    ///
    /// # Errors
    /// As [`Session::get_entry`].
    pub async fn quick(&self, path: &str, property: &str) -> Result<serde_json::Value> {
        let base = path.split('?').next().unwrap_or_default();
        let slash = if property.is_empty() { "" } else { "/" };
        let path = resolve(&format!("{base}/quick{slash}{property}"), Groups::Omitted)?;
        let exchange = Exchange::new(
            Method::GET,
            path,
            ANYTHING,
            self.core.options.answer_timeout,
        );
        let answer = self.exchange(&exchange).await?;
        serde_json::from_slice(&answer.body).map_err(|error| {
            self.unreadable(
                &exchange,
                &answer,
                format!("a body that is no JSON ({error})"),
            )
        })
    }

    /// Creates a resource below `path` (`ManagedSystem/UUID/LogicalPartition`) and returns it as the server has it.
    ///
    /// # Errors
    /// [`Error::UnknownOutcome`] when no whole answer came: look whether it exists before creating it again.
    pub async fn create(&self, path: &str, document: &Element) -> Result<Entry> {
        let path = resolve(path, Groups::Omitted)?;
        let exchange = Exchange::new(
            Method::PUT,
            path,
            ATOM_UTF8,
            self.core.options.answer_timeout,
        )
        .with_body(atom::media_type(document), document.to_xml());
        let answer = self.exchange(&exchange).await?;
        self.entry_of(&exchange, &answer)
    }

    /// Sends a changed entry back to its SELF link, with the groups it was read with, if nobody changed it since.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when somebody did: [`crate::transaction`] reads again
    /// and repeats the change. [`Error::Invalid`] for an entry without SELF link. [`Error::UnknownOutcome`] as for
    /// [`Session::create`].
    pub async fn update(&self, entry: &Entry) -> Result<Entry> {
        let href = entry.self_href().ok_or_else(|| {
            Error::invalid(
                format!(
                    "the {} to update has no SELF link",
                    entry.content.local_name()
                ),
                "update entries that were read from the server",
            )
        })?;
        self.post(href, Groups::Kept, &entry.content, entry.etag.as_deref())
            .await
    }

    /// Sends a document to this path or href, as an update of the version `etag`, or of any version. The groups have
    /// to be those that the document was read with: what a named group holds is replaced by what is sent.
    ///
    /// # Errors
    /// As [`Session::update`].
    pub async fn post(
        &self,
        href: &str,
        groups: Groups<'_>,
        document: &Element,
        etag: Option<&str>,
    ) -> Result<Entry> {
        let path = resolve(href, groups)?;
        let exchange = Exchange::new(
            Method::POST,
            path,
            ATOM_UTF8,
            self.core.options.update_timeout,
        )
        .with_body(atom::media_type(document), document.to_xml())
        .with_etag(etag);
        let answer = self.exchange(&exchange).await?;
        self.entry_of(&exchange, &answer)
    }

    /// Deletes a resource, of the version `etag` or of any version. If the connection broke and the repeated request
    /// finds nothing, it counts as deleted.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when it was not there to begin with.
    pub async fn delete(&self, path: &str, etag: Option<&str>) -> Result<()> {
        let path = resolve(path, Groups::Omitted)?;
        let exchange = Exchange::new(
            Method::DELETE,
            path,
            ANYTHING,
            self.core.options.answer_timeout,
        )
        .with_etag(etag);
        self.exchange(&exchange).await.map(drop)
    }

    /// Deletes a resource; that there is none is as good.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn ensure_deleted(&self, path: &str) -> Result<()> {
        match self.delete(path, None).await {
            // Looked at once more: what a server that is starting, or a proxy, does not know yet would stay for ever.
            Err(error) if error.is_not_found() => match self.get_entry(path, Groups::Omitted).await
            {
                Err(error) if error.is_not_found() => Ok(()),
                Err(error) => Err(error),
                Ok(_) => match self.delete(path, None).await {
                    Err(error) if error.is_not_found() => Ok(()),
                    result => result,
                },
            },
            result => result,
        }
    }

    /// Deletes what nobody else would, a finished job or the record of an upload: tried a few times, since servers
    /// keep only so many of them.
    pub(crate) async fn clear_away(&self, path: &str) -> Result<()> {
        let mut pause = std::time::Duration::from_secs(1);
        for _ in 0..2 {
            match self.ensure_deleted(path).await {
                Ok(()) => return Ok(()),
                Err(error) => tracing::debug!(%error, path, "trying to delete it again"),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.ensure_deleted(path).await
    }

    async fn read(
        &self,
        path: &str,
        groups: Groups<'_>,
        etag: Option<&str>,
    ) -> Result<(Exchange, Answer)> {
        let path = resolve(path, groups)?;
        let exchange = Exchange::new(Method::GET, path, ATOM, self.core.options.answer_timeout)
            .with_etag(etag);
        let answer = self.exchange(&exchange).await?;
        Ok((exchange, answer))
    }

    pub(super) fn entry_of(&self, exchange: &Exchange, answer: &Answer) -> Result<Entry> {
        answer
            .entry(&self.core.limits)
            .map_err(|problem| self.unreadable(exchange, answer, problem))
    }

    pub(super) fn feed_of(&self, exchange: &Exchange, answer: &Answer) -> Result<Feed> {
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(Feed::default());
        }
        answer
            .feed(&self.core.limits)
            .map_err(|problem| self.unreadable(exchange, answer, problem))
    }

    fn unreadable(&self, exchange: &Exchange, answer: &Answer, problem: String) -> Error {
        let call = self.core.call_of(&exchange.method, &exchange.path);
        unreadable(call, answer.status, problem, exchange.changes)
    }
}
