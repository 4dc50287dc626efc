"""What happens when the file system refuses: one clear message, and nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ductile.errors import WorkspaceError
from ductile.model.clock import SystemClock
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import Workspace, WorkspaceKey
from tests.integration.workspace.conftest import Mount

NewKey = Callable[[], WorkspaceKey]


def a_workspace(manager: HardLinkWorkspaces, key: WorkspaceKey, *names: str) -> Workspace:
    workspace = manager.create(key)
    for name in names:
        (workspace.path / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace.path / name).write_text("some bytes")
    return workspace


def test_a_source_on_another_file_system_is_refused_by_its_first_file(
    mount: Mount, new_key: NewKey
) -> None:
    source = new_key()
    root = mount(f"mkdir -p {{}}/{source.job_id} && mount -t tmpfs tmpfs {{}}/{source.job_id}")
    (root / source.job_id / "sub").mkdir()
    (root / source.job_id / "sub/file.txt").touch()
    with pytest.raises(
        WorkspaceError,
        match=r'cannot link "sub/file\.txt": invalid cross-device link; .*workspace\.root.*'
        r'"workspace: copy"',
    ):
        HardLinkWorkspaces(root, SystemClock()).clone(source, new_key())


def test_a_copy_crosses_file_systems(mount: Mount, new_key: NewKey) -> None:
    source = new_key()
    root = mount(f"mkdir -p {{}}/{source.job_id} && mount -t tmpfs tmpfs {{}}/{source.job_id}")
    (root / source.job_id / "file.txt").write_text("some bytes")
    manager = HardLinkWorkspaces(root, SystemClock())
    child = manager.clone(source, new_key(), copy=True)
    assert (child.path / "file.txt").read_text() == "some bytes"


class TestFullDisk:
    @pytest.fixture
    def small(self, mount: Mount) -> HardLinkWorkspaces:
        root = mount("mount -t tmpfs -o size=64k,nr_inodes=16,mode=700 tmpfs {}")
        return HardLinkWorkspaces(root, SystemClock())

    def test_a_clone_for_which_there_is_no_inode_left_names_the_directory(
        self, small: HardLinkWorkspaces, new_key: NewKey
    ) -> None:
        parent = a_workspace(small, new_key(), *(f"d{n}/file" for n in range(6)))
        with pytest.raises(
            WorkspaceError, match=r'cannot make the directory "d\d": no space left.*; free some'
        ):
            small.clone(parent.key, new_key())

    def test_a_copy_for_which_there_is_no_space_left_names_the_file(
        self, small: HardLinkWorkspaces, new_key: NewKey
    ) -> None:
        parent = a_workspace(small, new_key(), "big")
        (parent.path / "big").write_bytes(bytes(48 << 10))
        with pytest.raises(WorkspaceError, match=r'cannot copy "big": no space left.*; free some'):
            small.clone(parent.key, new_key(), copy=True)

    def test_what_was_half_made_is_gone(self, small: HardLinkWorkspaces, new_key: NewKey) -> None:
        parent = a_workspace(small, new_key(), *(f"d{n}/file" for n in range(6)))
        with pytest.raises(WorkspaceError):
            small.clone(parent.key, new_key())
        assert list(small.names()) == [parent.key.job_id]

    def test_cleaning_up_makes_room(self, small: HardLinkWorkspaces, new_key: NewKey) -> None:
        parent = a_workspace(small, new_key(), *(f"d{n}/file" for n in range(6)))
        small.cleanup([parent.key.job_id])
        again = a_workspace(small, new_key(), *(f"d{n}/file" for n in range(6)))
        assert len(list(again.path.iterdir())) == 6


def test_a_read_only_file_system_is_named_as_such(mount: Mount, new_key: NewKey) -> None:
    root = mount("mount -t tmpfs -o ro,mode=700 tmpfs {}")
    with pytest.raises(WorkspaceError, match=r"read-only file system; set workspace\.root"):
        HardLinkWorkspaces(root, SystemClock()).create(new_key())


def test_a_file_with_all_the_links_that_it_can_have_is_named(
    manager: HardLinkWorkspaces, new_key: NewKey
) -> None:
    parent = a_workspace(manager, new_key(), "popular")
    many = manager.create(new_key()).path
    try:
        if not _links_until_refused(parent.path / "popular", many):
            pytest.skip("this file system allows more than 65,001 hard links")
        with pytest.raises(
            WorkspaceError, match=r'cannot link "popular": too many links; .*"workspace: copy"'
        ):
            manager.clone(parent.key, new_key())
    finally:
        manager.cleanup([many.name])


def _links_until_refused(linked: Path, many: Path) -> bool:
    for n in range(65_001):
        try:
            os.link(linked, many / str(n))
        except OSError:
            return True
    return False


def test_a_file_of_another_user_is_named(ordinary_root: Path, new_key: NewKey) -> None:
    if os.getuid() != 0:
        pytest.skip("an ordinary user cannot make files of another one")
    if Path("/proc/sys/fs/protected_hardlinks").read_text() != "1\n":
        pytest.skip("this kernel lets everybody link every file (fs.protected_hardlinks)")
    manager = HardLinkWorkspaces(ordinary_root / "ws", SystemClock())
    parent = a_workspace(manager, new_key(), "theirs")
    user = os.geteuid()
    os.seteuid(0)
    os.chown(parent.path / "theirs", 0, 0)
    os.chmod(parent.path / "theirs", 0o444)
    os.seteuid(user)
    with pytest.raises(
        WorkspaceError,
        match=r'cannot link "theirs": operation not permitted; set workspace\.root.*'
        r'"workspace: copy"',
    ):
        manager.clone(parent.key, new_key())


class TestRoot:
    def test_a_root_that_cannot_be_made_is_an_error(
        self, ordinary_root: Path, new_key: NewKey
    ) -> None:
        ordinary_root.chmod(0o500)
        with pytest.raises(WorkspaceError, match=r"permission denied; set workspace\.root"):
            HardLinkWorkspaces(ordinary_root / "a/b", SystemClock()).create(new_key())

    def test_a_root_that_cannot_be_written_to_is_an_error(
        self, ordinary_root: Path, new_key: NewKey
    ) -> None:
        ordinary_root.chmod(0o500)
        with pytest.raises(WorkspaceError, match=r"cannot make workspace.*permission denied"):
            HardLinkWorkspaces(ordinary_root, SystemClock()).create(new_key())

    def test_a_root_that_cannot_be_looked_at_is_an_error(self, ordinary_root: Path) -> None:
        ordinary_root.chmod(0)
        with pytest.raises(WorkspaceError, match="permission denied"):
            HardLinkWorkspaces(ordinary_root / "a/b", SystemClock()).names()

    def test_a_file_in_the_place_of_the_root_is_an_error(
        self, tmp_path: Path, new_key: NewKey
    ) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(WorkspaceError, match=r"not a directory; set workspace\.root"):
            HardLinkWorkspaces(tmp_path / "file", SystemClock()).create(new_key())

    def test_a_root_that_everybody_may_write_to_is_refused(
        self, tmp_path: Path, new_key: NewKey
    ) -> None:
        (tmp_path / "open").mkdir()
        (tmp_path / "open").chmod(0o777)
        with pytest.raises(WorkspaceError, match="closed to others"):
            HardLinkWorkspaces(tmp_path / "open", SystemClock()).create(new_key())

    def test_no_message_holds_an_absolute_path(self, tmp_path: Path, new_key: NewKey) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(WorkspaceError) as caught:
            HardLinkWorkspaces(tmp_path / "file/x", SystemClock()).create(new_key())
        assert str(tmp_path) not in str(caught.value)


class TestCleanup:
    @pytest.fixture
    def stuck(self, new_key: NewKey) -> WorkspaceKey:
        return new_key()

    @pytest.fixture
    def root(self, mount: Mount, stuck: WorkspaceKey) -> Path:
        """A root with a workspace in which something is mounted: not even root deletes that."""
        inside = f"{{}}/{stuck.job_id}/mnt"
        root = mount(f"mkdir -p {inside} && mount -t tmpfs -o mode=700 tmpfs {inside}")
        (root / stuck.job_id / "mnt/mine").touch()
        return root

    def test_what_cannot_be_deleted_is_named(
        self, manager: HardLinkWorkspaces, stuck: WorkspaceKey
    ) -> None:
        report = manager.cleanup([stuck.job_id])
        assert report.failures[stuck.job_id].startswith('cannot enter "mnt": invalid cross-device')

    def test_what_cannot_be_deleted_does_not_stop_the_others(
        self, manager: HardLinkWorkspaces, stuck: WorkspaceKey, new_key: NewKey
    ) -> None:
        other = a_workspace(manager, new_key(), "fine")
        assert list(manager.cleanup([stuck.job_id, other.key.job_id]).deleted) == [other.key.job_id]

    def test_what_stays_is_a_leftover(
        self, manager: HardLinkWorkspaces, stuck: WorkspaceKey
    ) -> None:
        manager.cleanup([stuck.job_id])
        assert list(manager.names().values()) == [None]

    def test_a_mount_is_never_entered(
        self, manager: HardLinkWorkspaces, stuck: WorkspaceKey, root: Path
    ) -> None:
        manager.cleanup([stuck.job_id])
        (leftover,) = manager.names()
        assert (root / leftover / "mnt/mine").exists()

    def test_a_root_without_permission_fails_each_name(
        self, ordinary_root: Path, new_key: NewKey
    ) -> None:
        manager = HardLinkWorkspaces(ordinary_root, SystemClock())
        names = [manager.create(new_key()).key.job_id for _ in range(2)]
        ordinary_root.chmod(0o500)
        assert sorted(manager.cleanup(names).failures) == sorted(names)
