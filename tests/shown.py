"""Names from the wire at their worst, and how they are shown to people, as capture/text.h says it."""
import sqlite3

HOSTILE = [
    b'<script>alert(1)</script>', b'a"b\'c,d\te\\f', b'=HYPERLINK("http://x","y")', b'+1', b'-', b'@SUM(A1)', b'(empty)',
    b'\x1b]0;owned\x07\x1b[2J', b'line\r\nnext: 1', b'caf\xc3\xa9', b'\xff\xfe\xc3', b'\xe2\x80\xaemoc.live', b'x' * 60000,
    b'\xc2\x9b31m', b'\\x2d', b'a\x7fb', b'\xed\xa0\x80', b'\xf0\x9f\x93\xa7', b'--', b'\\', b'' b'#close\t1',
    b'" onmouseover="alert(1)', b'</title></svg><img src=x onerror=alert(1)>', b'&lt;&#0;&amp', b']]><!-- --!>', b'\xe2\x81\xa7\xd8\x9cx',
    b'\xef\xbf\xbf\xf3\xa0\x81\x81\xc2\xad',
]


def misleads(o):
    return o < 32 or 0x7f <= o < 0xa0 or o in (0xad, 0x61c, 0x180e, 0xfeff) or 0x200b <= o <= 0x200f or \
        0x2028 <= o <= 0x202e or 0x2060 <= o <= 0x206f or 0xfdd0 <= o <= 0xfdef or o & 0xfffe == 0xfffe or \
        0xe0000 <= o <= 0xe0fff


def pieces(text):
    """What is shown for each code point, or for a byte that belongs to none; and whether it is something else."""
    at = 0
    while at < len(text):
        for size in (1, 2, 3, 4):
            try:
                c = text[at:at + size].decode()
                break
            except UnicodeDecodeError:
                c, size = None, 1
        raw = text[at:at + size]
        at += size
        escaped = c is None or misleads(ord(c))
        yield b''.join(b'\\x%02x' % b for b in raw) if escaped else raw, escaped


def cleaned(text):
    return b''.join(piece for piece, _ in pieces(text))


def poison(path):
    """Puts one hostile text after the other where text from the wire is kept."""
    db = sqlite3.connect(path)
    for name, column in (('handshake', 'sni'), ('mail_session', 'account'), ('mail_session', 'client_id'), ('name', 'name'),
                         ('mail_dns', 'rdata'), ('client', 'name'), ('finding', 'owner'), ('finding', 'account')):
        for i, (rowid,) in enumerate(db.execute(f'SELECT {"rowid" if name != "name" and name != "mail_dns" else "id * 100 + place"} FROM {name}').fetchall()):
            where = 'rowid' if name not in ('name', 'mail_dns') else 'id * 100 + place'
            db.execute(f'UPDATE {name} SET {column} = CAST(? AS TEXT) WHERE {where} = ?', (HOSTILE[i % len(HOSTILE)], rowid))
    # As many handshakes as there are texts.
    flow = db.execute('SELECT max(flow) FROM handshake').fetchone()[0]
    columns = [r[1] for r in db.execute('PRAGMA table_info(handshake)')]
    for i, text in enumerate(HOSTILE):
        some = ', '.join(c for c in columns if c not in ('flow', 'sni'))
        db.execute(f'INSERT INTO handshake (flow, sni, {some}) SELECT id, CAST(? AS TEXT), {some} FROM handshake, flow'
                   ' WHERE flow = ? AND id NOT IN (SELECT flow FROM handshake) LIMIT 1', (text, flow))
    db.commit()
    db.close()
