#!/bin/sh
# Find the words that transcript.txt uses most and write them to keywords.txt.
#
# A plugin is any program that answers with one JSON object. This one needs nothing of the request
# on its stdin, because the gateway has already put it into the right directory.
set -eu
LC_ALL=C # bytes: the order of words is then the same everywhere
export LC_ALL

# $1: the error; $2: whether another attempt may go better
fail() {
    printf '{"status": "error", "error": %s, "retry": %s}\n' "$(json_string "$1")" "$2"
    exit 0
}

# $1 as a JSON string: control characters become spaces, quotes and backslashes are escaped.
json_string() {
    printf '"%s"' "$(printf '%s' "$1" | tr '\001-\037' ' ' | sed 's/[\\"]/\\&/g')"
}

limit=${KEYWORDS_LIMIT:-8}
case $limit in
    '' | *[!0-9]* | 0*) fail "expected a number above 0 in KEYWORDS_LIMIT, found \"$limit\"" false ;;
esac
[ -f transcript.txt ] || fail \
    "expected transcript.txt in the workspace, found none; put a step that writes it, such as captions, before this one" \
    false

stopwords=${0%/*}/stopwords.txt
[ -r "$stopwords" ] || fail \
    "expected stopwords.txt beside the script, found none; copy it there" false

# Typographic apostrophes become plain ones and other typographic marks spaces. What is left of
# the bytes above 127 belongs to letters. Words of one or two letters are never keywords.
words() {
    awk '{
        gsub(/\342\200\231/, "\047")
        gsub(/\342\200[\200-\277]/, " ")
        gsub(/\302[\200-\277]/, " ")
        print
    }' transcript.txt |
        tr 'A-Z' 'a-z' |
        tr -cs "a-z'\200-\377" '\n' |
        sed "s/^'*//; s/'*\$//; s/'s\$//"
}

# A new file under the old name: one that came with the workspace is never written to.
words |
    awk '
        FILENAME != "-" { for (i = 1; i <= NF; i++) skip[$i] = 1; next }
        length($0) > 2 && !($0 in skip) { count[$0]++ }
        END { for (word in count) print count[word], word }
    ' "$stopwords" - |
    sort -k1,1nr -k2,2 |
    awk -v limit="$limit" 'NR <= limit { print $2 }' >keywords.txt.new
[ -s keywords.txt.new ] || fail "expected words in transcript.txt, found none; look at the step before" false
mv -f keywords.txt.new keywords.txt

# Words hold letters and apostrophes only, so they need no escaping.
awk '
    { list = list (NR > 1 ? ", " : "") "\"" $0 "\"" }
    END {
        printf "{\"status\": \"ok\", \"result\": \"%d keywords\", ", NR
        printf "\"state_updates\": {\"keywords\": [%s]}}\n", list
    }' keywords.txt
