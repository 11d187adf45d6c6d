//! Access lists as the catalog prints them, `role=arw*/grantor`, as privileges in words.

use super::change::quoted;
use super::model::Grants;

/// What everybody may do with an object whose access list was never touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untouched {
    /// Nothing.
    Closed,
    /// Call it.
    Execute,
    /// Use it.
    Usage,
}

/// The privileges of others than the owner.
pub fn grants(items: Option<&[String]>, owner: &str, untouched: Untouched) -> Grants {
    let Some(items) = items else {
        return match untouched {
            Untouched::Closed => Grants::new(),
            Untouched::Execute => Grants::from(["EXECUTE TO public".to_owned()]),
            Untouched::Usage => Grants::from(["USAGE TO public".to_owned()]),
        };
    };
    let mut found = Grants::new();
    for item in items {
        let (grantee, rest) = role(item);
        if grantee == owner {
            continue;
        }
        let letters = rest.strip_prefix('=').unwrap_or(rest);
        let letters = letters.split('/').next().unwrap_or(letters);
        let grantee = if grantee.is_empty() {
            "public".to_owned()
        } else {
            quoted(&grantee)
        };
        let mut letters = letters.chars().peekable();
        while let Some(letter) = letters.next() {
            let option = letters
                .next_if_eq(&'*')
                .map_or("", |_| " WITH GRANT OPTION");
            found.insert(format!("{} TO {grantee}{option}", privilege(letter)));
        }
    }
    found
}

/// The role at the start and what follows it; nobody's name is everybody.
fn role(item: &str) -> (String, &str) {
    let Some(inner) = item.strip_prefix('"') else {
        let end = item.find('=').unwrap_or(item.len());
        let (name, rest) = item.split_at(end);
        return (name.to_owned(), rest);
    };
    let mut name = String::new();
    let mut letters = inner.char_indices().peekable();
    while let Some((place, letter)) = letters.next() {
        if letter != '"' {
            name.push(letter);
        } else if letters.next_if(|(_, next)| *next == '"').is_some() {
            name.push('"');
        } else {
            return (name, inner.get(place + 1..).unwrap_or_default());
        }
    }
    (name, "")
}

fn privilege(letter: char) -> String {
    let word = match letter {
        'a' => "INSERT",
        'r' => "SELECT",
        'w' => "UPDATE",
        'd' => "DELETE",
        'D' => "TRUNCATE",
        'x' => "REFERENCES",
        't' => "TRIGGER",
        'X' => "EXECUTE",
        'U' => "USAGE",
        'C' => "CREATE",
        'm' => "MAINTAIN",
        other => return other.to_string(),
    };
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(items: &[&str]) -> Vec<String> {
        let items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
        grants(Some(&items), "shop", Untouched::Usage)
            .into_iter()
            .collect()
    }

    #[test]
    fn an_access_list_is_read_as_the_server_prints_it() {
        assert_eq!(
            read(&["shop=arwdDxt/shop", "app=r*w/shop", "=U/shop"]),
            [
                "SELECT TO app WITH GRANT OPTION",
                "UPDATE TO app",
                "USAGE TO public",
            ]
        );
        assert_eq!(
            read(&["\"Odd \"\"=/ role\"=X/shop"]),
            ["EXECUTE TO \"Odd \"\"=/ role\""]
        );
        assert!(read(&["shop=a/shop"]).is_empty());
        assert_eq!(read(&["app=?/shop"]), ["? TO app"]);
    }

    #[test]
    fn an_untouched_list_is_what_the_kind_of_object_has() {
        assert!(grants(None, "shop", Untouched::Closed).is_empty());
        assert_eq!(grants(None, "shop", Untouched::Execute).len(), 1);
        assert!(grants(Some(&[]), "shop", Untouched::Execute).is_empty());
    }
}
