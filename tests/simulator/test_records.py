from datetime import timedelta


def first(simulator, index, now):
    world = simulator.world
    there = [each for each in world.instances_of(world.projects[index]) if each.restorable]
    return world.records(there[0], now)


def test_times_are_utc_with_milliseconds_and_names_carry_local_digits(simulator, clock):
    record = first(simulator, 0, clock())[0]
    assert len(record["created_at"]) == 24 and record["created_at"].endswith("Z")
    assert record["restore_name"].startswith("restore_20")
    assert record["restore_name"][-6:-4] != record["created_at"][11:13]


def test_progress_is_a_string_with_two_decimals(simulator, clock):
    assert {record["progress"][-3:] for record in first(simulator, 0, clock())} == {".00"}


def test_absent_values_are_written_as_the_project_does(simulator, clock):
    def absent(index):
        return [
            record for record in first(simulator, index, clock()) if not record.get("error_code")
        ]

    assert all(record["error_code"] == {} for record in absent(0))
    assert all(record["error_code"] is None for record in absent(1))
    assert all("error_code" not in record for record in absent(3))


def test_updated_at_is_null_until_the_restore_ends(simulator, clock):
    world = simulator.world
    seen = 0
    for minute in range(120):
        now = clock() + timedelta(minutes=minute)
        for each, restore in world.running(now):
            if each.project.absent == "missing":
                continue
            record = next(
                r for r in world.records(each, now) if r["restore_id"] == restore.restore_id
            )
            assert record["updated_at"] is None and record["error_code"] in (None, {})
            seen += 1
    assert seen > 20
