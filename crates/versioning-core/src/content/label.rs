//! Items of printed arrays: labels of enums, and values that were put into arrays.

/// The items of a printed array with `label` put in the place of each, in a form in which equal arrays are
/// equal.
pub fn relabelled(text: &str, label: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut item = String::new();
    let (mut is_quoted, mut letters) = (false, text.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '\\' => item.extend(letters.next()),
            '{' | '}' | ',' if !is_quoted => {
                if !item.is_empty() {
                    out.push_str(&label(&item));
                    item.clear();
                }
                out.push(letter);
            }
            _ => item.push(letter),
        }
    }
    out + &item
}

/// The items of a printed array, with their places among those that aren't NULL.
pub fn items(text: &str) -> Vec<(String, String)> {
    let found = std::cell::RefCell::new(Vec::new());
    let mut joined_forms = Vec::new();
    relabelled(text, |item| {
        let mut found = found.borrow_mut();
        if item != "NULL" && found.len() < MOST_ITEMS {
            let path = format!("[{}]", found.len());
            found.push((path, item.to_owned()));
        }
        String::new()
    });
    let mut found = found.into_inner();
    for separator in SEPARATORS {
        let joined: Vec<&str> = found.iter().map(|(_, item)| item.as_str()).collect();
        let joined = joined.join(separator);
        // Behind the items themselves, whose places are numbers.
        if found.len() > 1 {
            joined_forms.push((format!("joined by {separator:?}"), joined));
        }
    }
    found.extend(joined_forms);
    found
}

/// What lists in a text are mostly separated by.
const SEPARATORS: [&str; 5] = [",", ", ", " ", ";", "|"];

/// How many items of one array are looked at.
const MOST_ITEMS: usize = 16;

#[cfg(test)]
mod tests {
    use super::{items, relabelled};

    #[test]
    fn lists_items() {
        let item = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        assert_eq!(items("{a}"), [item("[0]", "a")]);
        let found = items("{a,NULL,\"b,c\"}");
        assert_eq!(found[..2], [item("[0]", "a"), item("[1]", "b,c")]);
        assert!(found.contains(&item("joined by \", \"", "a, b,c")));
    }

    #[test]
    fn finds_items_quoted_or_not() {
        let label = |item: &str| {
            if item == "old one" {
                "new".to_owned()
            } else {
                item.to_owned()
            }
        };
        assert_eq!(relabelled("{a,\"old one\",NULL}", label), "{a,new,NULL}");
        assert_eq!(relabelled("{{a},{\"old one\"}}", label), "{{a},{new}}");
        assert_eq!(relabelled("{}", label), "{}");
        assert_eq!(relabelled("{\"a\\\"b\"}", label), "{a\"b}");
    }
}
