"""`heptad lifecycle`: plans, why they began and how they ended."""

from tests.cli.conftest import Shell


def test_plans_are_listed_with_their_outcome(shell: Shell):
    """Newest first, each with the sentence that started it."""
    plans = shell("lifecycle", "plans", "--json").json
    assert plans
    text = shell("lifecycle", "plans").out
    assert plans[0]["id"] in text.splitlines()[1]
    assert "begun since" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_plan_is_shown_from_trigger_to_end(shell: Shell):
    """What started it, every record that it wrote, and the reason for its end."""
    plan = shell("lifecycle", "plans", "--json").json[-1]
    shown = shell("lifecycle", "show", plan["id"], "--json").json
    kinds = [done["kind"] for done in shown["done"]]
    assert {"candidate", "decision"} <= set(kinds)
    text = shell("lifecycle", "show", plan["id"]).out
    assert plan["body"]["triggers"][0]["sentence"].split()[0] in text
    assert "Begun since" in text
    assert "What was done" in text


def test_the_latest_plan_is_shown_where_none_is_named(shell: Shell):
    """A record of another kind is refused by name."""
    newest = shell("lifecycle", "plans", "--json").json[0]["id"]
    assert shell("lifecycle", "show", "--json").json["plan"]["id"] == newest
    wrong = shell("lifecycle", "show", shell("training", "show", "--json").json["id"])
    assert wrong.code == 2
    assert "candidate" in wrong.err


def test_a_project_without_plans_says_why(empty: Shell):
    """Nothing was due."""
    assert "nothing was due" in empty("lifecycle", "plans").out
    assert empty("lifecycle", "show").code == 2
