//! What the real cosign left in a registry (`fixtures/cosign/make` and `make-keyless`), put into the
//! storage of another one. For tests only.

use api::Digest;
use std::path::{Path, PathBuf};

/// Where the fixtures lie.
pub fn fixtures() -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found = above.find_map(|above| {
        ["tests/fixtures/cosign", "transport/tests/fixtures/cosign"]
            .map(|below| above.join(below))
            .into_iter()
            .find(|fixtures| fixtures.exists())
    });
    found.unwrap()
}

/// The text of the fixture `path`.
pub fn fixture(path: &str) -> String {
    std::fs::read_to_string(fixtures().join(path)).unwrap()
}

fn lines(file: &str) -> Vec<[String; 3]> {
    let words = |line: &str| {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        words.try_into().unwrap()
    };
    fixture(file).lines().map(words).collect()
}

/// Writes a link as the registry's storage has them.
pub fn link(storage: &Path, repository: &str, path: &str, hex: &str) {
    let directory = storage
        .join("docker/registry/v2/repositories")
        .join(repository)
        .join(path);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("link"), format!("sha256:{hex}")).unwrap();
}

/// Puts everything into the storage of a registry of the distribution project.
pub fn load(storage: &Path) {
    for entry in std::fs::read_dir(fixtures().join("blobs")).unwrap() {
        let path = entry.unwrap().path();
        let hex = path.file_name().unwrap().to_str().unwrap();
        let to = storage.join(format!(
            "docker/registry/v2/blobs/sha256/{}/{hex}",
            &hex[..2]
        ));
        std::fs::create_dir_all(&to).unwrap();
        std::fs::copy(&path, to.join("data")).unwrap();
    }
    for [repository, kind, hex] in lines("revisions") {
        let below = match kind.as_str() {
            "manifest" => format!("_manifests/revisions/sha256/{hex}"),
            _ => format!("_layers/sha256/{hex}"),
        };
        link(storage, &repository, &below, &hex);
    }
    for [repository, tag, hex] in lines("tags") {
        link(
            storage,
            &repository,
            &format!("_manifests/tags/{tag}/current"),
            &hex,
        );
    }
}

/// What the tag of a repository names in the fixtures.
pub fn tagged(repository: &str, tag: &str) -> Digest {
    let tags = lines("tags");
    let mut tags = tags
        .iter()
        .filter(|line| line[0] == repository && line[1] == tag);
    format!("sha256:{}", tags.next().unwrap()[2])
        .parse()
        .unwrap()
}
