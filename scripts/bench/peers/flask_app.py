"""Flask with PyMySQL and PyJWT, a connection for each request, as the article has it; its SQL takes parameters, though.

Run as a program it is the server of the platform's Flask template, and prints `listening on URL`.
"""

import os
import re
import time
import uuid
from datetime import datetime, timezone
from urllib.parse import unquote, urlsplit

import jwt
import pymysql
from flask import Flask, g, jsonify, request

database = urlsplit(os.environ["DATABASE_URL"])
app = Flask(__name__)
ACCOUNT = re.compile(r"[0-9]{5,20}")


def connect():
    return pymysql.connect(
        host=database.hostname,
        port=database.port,
        user=unquote(database.username),
        password=unquote(database.password),
        database=database.path[1:],
        charset="utf8mb4",
        cursorclass=pymysql.cursors.DictCursor,
    )


@app.before_request
def log_in():
    _, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        claims = jwt.decode(token, os.environ["JWT_SECRET"], algorithms=["HS256"])
    except jwt.InvalidTokenError:
        return jsonify(message="请重新登录"), 401
    g.user_id = uuid.UUID(claims["sub"]).bytes


@app.post("/score")
def score():
    rating = request.get_json()
    grades = [rating.get(f"grade{number}") for number in (1, 2, 3)]
    texts = [rating.get(f"txt{number}") for number in (1, 2, 3)]
    if (
        not ACCOUNT.fullmatch(rating.get("acc_nbr", ""))
        or not all(isinstance(grade, int) and 1 <= grade <= 5 for grade in grades)
        or not all(isinstance(text, str) and len(text) <= 500 for text in texts)
    ):
        return jsonify(message="数据有误"), 400
    now_ms = time.time_ns() // 1_000_000
    # Time and chance, as in a UUIDv7.
    rating_id = now_ms.to_bytes(6, "big") + uuid.uuid4().bytes[6:]
    connection = connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (rating["acc_nbr"], rating_id, g.user_id, *grades, *texts, now_ms),
            )
        connection.commit()
    finally:
        connection.close()
    return jsonify(id=str(uuid.UUID(bytes=rating_id)), message="数据提交成功")


@app.post("/query")
def query():
    account = request.get_json().get("acc_nbr", "")
    if not ACCOUNT.fullmatch(account):
        return jsonify(message="数据有误"), 400
    connection = connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3, insert_time FROM ratings"
                " WHERE acc_nbr = %s AND user_id = %s ORDER BY id DESC LIMIT 20",
                (account, g.user_id),
            )
            rows = cursor.fetchall()
    finally:
        connection.close()
    for row in rows:
        row["id"] = str(uuid.UUID(bytes=row["id"]))
        row["insert_time"] = datetime.fromtimestamp(row["insert_time"] / 1000, timezone.utc).isoformat()
    return jsonify(items=rows)


if __name__ == "__main__":
    from werkzeug.serving import WSGIRequestHandler, make_server

    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    WSGIRequestHandler.log_request = lambda *_: None
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(f"listening on http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
