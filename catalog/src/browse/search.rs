//! Which plugins a query finds, and how well: every word of it must be found, in the name, a keyword
//! or the description; a letter left out or mistyped is forgiven.

/// Where one may look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Haystack<'a> {
    /// The plugin's name.
    pub(crate) name: &'a str,
    /// Its keywords.
    pub(crate) keywords: &'a [String],
    /// Its description.
    pub(crate) description: &'a str,
}

/// The shortest word that may be mistyped.
const FORGIVEN: usize = 4;

/// How well `query` finds `haystack`, more is better; `None` where it does not.
pub(crate) fn score(query: &str, haystack: &Haystack<'_>) -> Option<u32> {
    let query = query.to_lowercase();
    let words = query.split_whitespace();
    words.map(|word| one(word, haystack)).sum()
}

/// The positions of the characters of `name` that `query` names: as one piece, or one by one.
pub(crate) fn marked(query: &str, name: &str) -> Vec<usize> {
    let (query, name) = (query.to_lowercase(), name.to_lowercase());
    let mut marked: Vec<usize> = query
        .split_whitespace()
        .flat_map(|word| match name.find(word) {
            Some(at) => {
                let at = name[..at].chars().count();
                (at..at + word.chars().count()).collect()
            }
            None => scattered(word, &name).unwrap_or_default(),
        })
        .collect();
    marked.sort_unstable();
    marked.dedup();
    marked
}

fn one(word: &str, haystack: &Haystack<'_>) -> Option<u32> {
    let name = haystack.name.to_lowercase();
    let keywords = haystack.keywords.iter().map(|k| k.to_lowercase());
    let in_name = whole(word, &name).map(|score| score + 40);
    let in_keywords = keywords.filter_map(|k| whole(word, &k)).max();
    let description = haystack.description.to_lowercase();
    let in_description = description.contains(word).then_some(20);
    let exact = in_name.into_iter().chain(in_keywords).chain(in_description);
    exact.max().or_else(|| forgiving(word, &name, haystack))
}

/// The word in one piece: best where it is all of it, then at its beginning.
fn whole(word: &str, text: &str) -> Option<u32> {
    match text.find(word)? {
        0 if text.len() == word.len() => Some(60),
        0 => Some(50),
        _ => Some(40),
    }
}

/// The word with letters left out, or one or two wrong.
fn forgiving(word: &str, name: &str, haystack: &Haystack<'_>) -> Option<u32> {
    if scattered(word, name).is_some() {
        return Some(10);
    }
    let length = word.chars().count();
    let wrong = length / FORGIVEN;
    let keywords = haystack.keywords.iter().map(|k| k.to_lowercase());
    let mut all = keywords.chain([name.to_owned()]);
    let near = |text: String| {
        let beginning: String = text.chars().take(length).collect();
        strsim::osa_distance(word, &text).min(strsim::osa_distance(word, &beginning)) <= wrong
    };
    (wrong > 0 && all.any(near)).then_some(5)
}

/// The positions in `text` of the characters of `word`, in order, the first at the beginning of a
/// part of the name.
fn scattered(word: &str, text: &str) -> Option<Vec<usize>> {
    let characters: Vec<char> = text.chars().collect();
    let mut at = 0;
    let mut found = Vec::new();
    for wanted in word.chars() {
        let next = characters.iter().skip(at).position(|c| *c == wanted)? + at;
        found.push(next);
        at = next + 1;
    }
    let first = *found.first()?;
    let begins = first == 0 || matches!(characters.get(first - 1), Some('-' | '.'));
    begins.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str, name: &str) -> Option<u32> {
        let keywords = ["cache".to_owned(), "key-value".to_owned()];
        let description = "In-memory data store with replicas.";
        score(
            query,
            &Haystack {
                name,
                keywords: &keywords,
                description,
            },
        )
    }

    #[test]
    fn every_word_must_be_found_somewhere() {
        assert!(found("redis cache", "redis").is_some());
        assert!(found("REPLICAS memory", "redis").is_some());
        assert_eq!(found("redis queue", "redis"), None);
        assert_eq!(found("", "redis"), Some(0));
    }

    #[test]
    fn the_name_goes_before_keywords_and_those_before_the_description() {
        let (all, begins) = (found("redis", "redis"), found("red", "redis"));
        let (keyword, text) = (found("cache", "redis"), found("replicas", "redis"));
        assert!(all > begins && begins > keyword && keyword > text && text > found("rds", "redis"));
    }

    #[test]
    fn letters_left_out_or_wrong_are_forgiven() {
        assert!(found("pgsql", "postgresql").is_none_or(|score| score <= 10));
        assert!(found("psql", "postgresql").is_some());
        assert!(found("postgers", "postgresql").is_some());
        assert!(found("cahce", "redis").is_some());
        assert_eq!(found("dis", "memcached"), None);
        assert_eq!(found("xyz", "redis"), None);
    }

    #[test]
    fn what_was_found_is_marked() {
        assert_eq!(marked("gre", "postgresql"), [4, 5, 6]);
        assert_eq!(marked("psql", "postgresql"), [0, 2, 8, 9]);
        assert_eq!(marked("zz", "redis"), Vec::<usize>::new());
    }
}
