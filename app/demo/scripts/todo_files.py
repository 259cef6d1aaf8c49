"""The project that the `todo` script writes, with the one bug that its first test run finds."""

STORE = '''"""Where the to-dos live: in memory, in the order they were added."""

from dataclasses import asdict, dataclass


@dataclass
class Todo:
    id: int
    title: str
    done: bool = False


class Store:
    """Adds, lists, changes and removes to-dos. Raises KeyError for an unknown id."""

    def __init__(self):
        self._todos = {}
        self._last_id = 0

    def add(self, title):
        self._last_id += 1
        todo = Todo(id=self._last_id, title=title)
        self._todos[todo.id] = todo
        return asdict(todo)

    def all(self):
        return [asdict(todo) for todo in self._todos.values()]

    def change(self, id, title=None, done=None):
        todo = self._todos[id]
        if title is not None:
            todo.title = title
        if done is not None:
            todo.done = done
        return asdict(todo)

    def remove(self, id):
        del self._todos[id]
'''

# The bug: ids are counted from the to-dos that are left, so one is given out twice after a removal.
FIXED = "        self._last_id += 1\n        todo = Todo(id=self._last_id, title=title)\n"
BUGGY = "        todo = Todo(id=len(self._todos) + 1, title=title)\n"
FIXED_INIT = "        self._todos = {}\n        self._last_id = 0\n"
BUGGY_INIT = "        self._todos = {}\n"
BUGGY_STORE = STORE.replace(FIXED, BUGGY).replace(FIXED_INIT, BUGGY_INIT)

APP = '''"""A small to-do API over HTTP. Run it: python3 -m todo.app 8080"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from todo.store import Store


def make_server(port=0, store=None):
    """A server on the loopback address; port 0 picks a free one."""
    store = store or Store()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/todos":
                return self.reply(200, store.all())
            return self.reply(404, {"error": "no such path"})

        def do_POST(self):
            if self.path != "/todos":
                return self.reply(404, {"error": "no such path"})
            title = str(self.body().get("title", "")).strip()
            if not title:
                return self.reply(400, {"error": "a to-do needs a title"})
            return self.reply(201, store.add(title))

        def do_PATCH(self):
            body = self.body()
            return self.on_todo(lambda id: (200, store.change(id, body.get("title"), body.get("done"))))

        def do_DELETE(self):
            return self.on_todo(lambda id: (204, store.remove(id)))

        def on_todo(self, action):
            head, _, id = self.path.rpartition("/")
            if head != "/todos" or not id.isdigit():
                return self.reply(404, {"error": "no such path"})
            try:
                return self.reply(*action(int(id)))
            except KeyError:
                return self.reply(404, {"error": f"there is no to-do {id}"})

        def body(self):
            try:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            except ValueError:
                return {}
            return body if isinstance(body, dict) else {}

        def reply(self, status, value=None):
            data = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            pass

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    server = make_server(int(sys.argv[1]) if len(sys.argv) > 1 else 8080)
    print(f"To-dos at http://127.0.0.1:{server.server_port}/todos")
    server.serve_forever()
'''

TESTS = '''"""The to-do API, tested over real HTTP. Run: python3 -m unittest -v"""

import json
import threading
import unittest
import urllib.error
import urllib.request

from todo.app import make_server


class TodoApi(unittest.TestCase):
    def setUp(self):
        self.server = make_server()
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()

    def call(self, method, path, body=None):
        url = f"http://127.0.0.1:{self.server.server_port}{path}"
        data = None if body is None else json.dumps(body).encode()
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(urllib.request.Request(url, data, method=method)) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def test_starts_empty(self):
        self.assertEqual(self.call("GET", "/todos"), (200, []))

    def test_adds(self):
        status, todo = self.call("POST", "/todos", {"title": "Water the plants"})
        self.assertEqual((status, todo["title"], todo["done"]), (201, "Water the plants", False))

    def test_needs_a_title(self):
        self.assertEqual(self.call("POST", "/todos", {"title": " "})[0], 400)

    def test_marks_done(self):
        _, todo = self.call("POST", "/todos", {"title": "Call home"})
        _, changed = self.call("PATCH", f"/todos/{todo['id']}", {"done": True})
        self.assertTrue(changed["done"])

    def test_removes(self):
        _, todo = self.call("POST", "/todos", {"title": "Buy milk"})
        self.assertEqual(self.call("DELETE", f"/todos/{todo['id']}")[0], 204)
        self.assertEqual(self.call("GET", "/todos"), (200, []))

    def test_an_id_is_never_used_twice(self):
        _, first = self.call("POST", "/todos", {"title": "First"})
        _, second = self.call("POST", "/todos", {"title": "Second"})
        self.call("DELETE", f"/todos/{first['id']}")
        _, third = self.call("POST", "/todos", {"title": "Third"})
        self.assertNotEqual(third["id"], second["id"])

    def test_an_unknown_id(self):
        self.assertEqual(self.call("DELETE", "/todos/99")[0], 404)


if __name__ == "__main__":
    unittest.main()
'''
