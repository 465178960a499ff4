#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run_cases.py HOST PORT [FILE.jsonl ...] [--json] [--level must,should,policy] [--cat C] [--only TEXT] [--needs any,static,echo]
                 [--slow] [--jobs N] [--fails] [--raw] [--bytewise] [--row ID]
Sends each case raw over TCP (loopback only) and judges the answer. Closing line: 'N passed, N failed'. Exit 1 if any failed.
Case fields: name cat rfc level needs desc send methods expect [row prefetch slow maxwait].
 --bytewise sends the texts of a case one byte at a time (the first BYTEWISE of them); the answers must be the same.
 send: list of  "bytes as latin-1 text" | {"rep":TEXT,"n":N} | {"sleep":S} | {"shut":1} | {"bytewise":TEXT} | {"await":TEXT,"t":S}
 expect: list of alternatives, one must hold. Keys: status (of 1st final response; 0 = closed without any response),
   statuses (one list per final response), n (exact count of final responses), max_n, close (true: server must close; false: must stay
   open AND answer a probe request correctly), body, body_has, body_not, body_len, max_body, hdr {name: regex}, nohdr [names],
   interim [codes that must have come], nointerim, cross, if_etag strong|weak, ver (regex of the status line)
On every response the runner also checks framing (status line, header syntax, CL/TE rules, no stray bytes) and that TOP-SECRET never leaks."""
import sys, json, socket, time, re, threading, queue, os, argparse
TIMEOUT_CONNECT=3
BYTEWISE=3000

class Bad(Exception): pass

TOKEN=re.compile(rb"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
def parse_one(buf, method, eof):
    """returns (resp, rest) or None if more bytes needed; raises Bad"""
    i=buf.find(b'\r\n\r\n')
    if i<0:
        if len(buf)>=5 and not buf.startswith(b'HTTP/'): raise Bad('answer does not start with a status line: %r'%buf[:40])
        if eof and buf: raise Bad('closed inside response head: %r'%buf[:60])
        return None
    head=buf[:i].split(b'\r\n'); rest=buf[i+4:]
    m=re.match(rb'^HTTP/1\.[01] (\d{3}) ?([\t\x20-\x7e\x80-\xff]*)$',head[0])
    if not m: raise Bad('bad status line %r'%head[0][:60])
    st=int(m.group(1)); h=[]
    for l in head[1:]:
        if b':' not in l: raise Bad('header line without colon %r'%l[:60])
        k,v=l.split(b':',1)
        if not TOKEN.match(k): raise Bad('bad header name %r'%k[:60])
        if re.search(rb'[\r\n\0]',v): raise Bad('control byte in header value %r'%l[:60])
        h.append((k.decode().lower(),v.strip(b' \t').decode('latin1')))
    r={'status':st,'line':head[0].decode('latin1'),'h':h,'body':b'','close_delim':False}
    cl=[v for k,v in h if k=='content-length']; te=[v for k,v in h if k=='transfer-encoding']
    if cl and te: raise Bad('response has both Content-Length and Transfer-Encoding')
    if len(cl)>1 or (cl and not cl[0].isdigit()): raise Bad('bad Content-Length %r'%cl)
    if 100<=st<200:
        if cl or te: raise Bad('1xx with Content-Length/Transfer-Encoding')
        return r,rest
    if st==204 and (cl or te): raise Bad('204 with Content-Length/Transfer-Encoding')
    if method=='HEAD' or st in (204,304): return r,rest
    if te:
        if te!=['chunked']: raise Bad('unexpected Transfer-Encoding %r'%te)
        out=b''
        while True:
            j=rest.find(b'\r\n')
            if j<0: 
                if eof: raise Bad('closed inside chunked body')
                return None
            mm=re.match(rb'^([0-9A-Fa-f]+)[ \t]*(;.*)?$',rest[:j])
            if not mm: raise Bad('bad chunk size line %r'%rest[:j][:40])
            n=int(mm.group(1),16)
            if n==0:
                k=rest.find(b'\r\n\r\n',j) if rest[j:j+4]!=b'\r\n\r\n' else j
                if k<0:
                    if eof: raise Bad('closed inside trailers')
                    return None
                r['body']=out; return r,rest[k+4:]
            if len(rest)<j+2+n+2:
                if eof: raise Bad('closed inside chunk')
                return None
            if rest[j+2+n:j+4+n]!=b'\r\n': raise Bad('chunk not closed by CRLF')
            out+=rest[j+2:j+2+n]; rest=rest[j+4+n:]
    if cl:
        n=int(cl[0])
        if len(rest)<n:
            if eof: raise Bad('closed after %d of %d body bytes'%(len(rest),n))
            return None
        r['body']=rest[:n]; return r,rest[n:]
    # close-delimited
    if not eof: return None
    r['body']=rest; r['close_delim']=True; return r,b''

def hv(r,name): return ', '.join(v for k,v in r['h'] if k==name)

class Conn:
    def __init__(s,host,port):
        s.s=socket.create_connection((host,port),TIMEOUT_CONNECT); s.s.setsockopt(socket.IPPROTO_TCP,socket.TCP_NODELAY,1)
        s.buf=b''; s.eof=False; s.rst=False; s.werr=False
    def pump(s,t):
        """read for at most t seconds; returns True if something came"""
        if s.eof: return False
        s.s.settimeout(max(t,0.001))
        try:
            d=s.s.recv(262144)
            if not d: s.eof=True; return True
            s.buf+=d; return True
        except socket.timeout: return False
        except (ConnectionResetError,BrokenPipeError,OSError): s.eof=True; s.rst=True; return True
    def send(s,b):
        # full duplex: keep reading while writing so that neither side blocks
        import select
        s.s.setblocking(False); mv=memoryview(b); end=time.time()+8
        while mv and time.time()<end:
            r,w,_=select.select([] if s.eof else [s.s],[s.s],[],0.5)
            if r:
                try:
                    d=s.s.recv(262144)
                    if d: s.buf+=d
                    else: s.eof=True
                except BlockingIOError: pass
                except OSError: s.eof=True; s.rst=True; return
            if w:
                try: mv=mv[s.s.send(mv):]
                except BlockingIOError: pass
                except OSError: s.werr=True; s.drain_now(); return
    def drain_now(s):
        s.s.setblocking(True)
        while s.pump(0.3): 
            if s.eof: break

def enc(t,sub):
    for k,v in sub.items(): t=t.replace(k,v)
    return t.encode('latin1')

def send_bytewise(c,b):
    for i in range(min(len(b),BYTEWISE)):
        if c.werr or c.rst: return
        c.send(b[i:i+1])
    c.send(b[BYTEWISE:])

def exchange(host,port,case,sub,idle,bytewise=False):
    c=Conn(host,port); methods=case.get('methods') or ['GET']
    for x in case['send']:
        if isinstance(x,str): (send_bytewise if bytewise else Conn.send)(c,enc(x,sub))
        elif 'rep' in x: c.send(enc(x['rep'],sub)*x['n'])
        elif 'sleep' in x:
            end=time.time()+x['sleep']
            while time.time()<end and not c.eof: c.pump(end-time.time())
        elif 'shut' in x:
            try: c.s.shutdown(socket.SHUT_WR)
            except OSError: pass
        elif 'bytewise' in x:
            for b in enc(x['bytewise'],sub):
                c.send(bytes([b])); time.sleep(0.001)
        elif 'await' in x:
            end=time.time()+x.get('t',1)
            while time.time()<end and x['await'].encode() not in c.buf and not c.eof: c.pump(end-time.time())
        if c.werr: break
    return c,methods

def parse_all(c,methods):
    """parse what is in c.buf; returns (finals, interims, pending?)"""
    finals=[]; inter=[]; rest=c.buf
    while rest:
        m=methods[len(finals)] if len(finals)<len(methods) else 'GET'
        p=parse_one(rest,m,c.eof)
        if p is None: return finals,inter,rest
        r,rest=p
        if 100<=r['status']<200:
            inter.append(r)
            if r['status']==101: return finals+[r],inter,b''
        else: finals.append(r)
        if r['close_delim']: break
    return finals,inter,rest

def want_n(e):
    if e.get('statuses'): return len(e['statuses'])
    if 'n' in e: return e['n']
    if e.get('status')==[0]: return 0
    return 1

PROBE=b'GET /hello.txt?probe HTTP/1.1\r\nHost: localhost\r\n\r\n'
def check(e,finals,inter,rest,c,et):
    if e.get('if_etag') and e['if_etag']!=et: return 'needs %s ETag (server sends %s)'%(e['if_etag'],et)
    if 'status' in e:
        got=finals[0]['status'] if finals else 0
        if got==0 and not c.eof: return 'no answer and not closed (timeout)'
        if got not in e['status']: return 'status %d, want %s'%(got,e['status'])
    if 'statuses' in e:
        if len(finals)!=len(e['statuses']): return '%d responses %s, want %d'%(len(finals),[f['status'] for f in finals],len(e['statuses']))
        for f,w in zip(finals,e['statuses']):
            if f['status'] not in w: return 'statuses %s, want %s'%([f['status'] for f in finals],e['statuses'])
    if 'n' in e and len(finals)!=e['n']: return '%d responses, want %d'%(len(finals),e['n'])
    mx=e.get('max_n', e.get('n', len(e['statuses']) if 'statuses' in e else 1))
    if len(finals)>mx: return 'SMUGGLED: %d responses %s, at most %d allowed'%(len(finals),[f['status'] for f in finals],mx)
    f=finals[-1] if ('statuses' in e and finals) else (finals[0] if finals else None)
    if f:
        if 'body' in e and f['body']!=e['body'].encode('latin1'): return 'body %r, want %r'%(f['body'][:60],e['body'][:60])
        if 'body_len' in e and len(f['body'])!=e['body_len']: return 'body length %d, want %d'%(len(f['body']),e['body_len'])
        if 'max_body' in e and len(f['body'])>e['max_body']: return 'body %d bytes, allowed %d'%(len(f['body']),e['max_body'])
        for t in e.get('body_has',[]):
            if t.encode('latin1') not in f['body']: return 'body lacks %r'%t
        for t in e.get('body_not',[]):
            if t.encode('latin1') in f['body']: return 'body contains %r'%t
        for k,rx in e.get('hdr',{}).items():
            if not any(n==k for n,_ in f['h']): return 'header %s missing'%k
            if not re.search(rx,hv(f,k),re.I): return 'header %s = %r, want /%s/'%(k,hv(f,k),rx)
        for k,rx in e.get('hdr_not',{}).items():
            if re.search(rx,hv(f,k),re.I): return 'header %s = %r must not match /%s/'%(k,hv(f,k),rx)
        for k in e.get('nohdr',[]):
            if any(n==k for n,_ in f['h']): return 'header %s present (%r)'%(k,hv(f,k))
        if 'ver' in e and not re.search(e['ver'],f['line']): return 'status line %r'%f['line']
    for x in e.get('interim',[]):
        if x not in [i['status'] for i in inter]: return 'interim %d did not come'%x
    if e.get('nointerim') and inter: return 'unexpected interim response %s'%[i['status'] for i in inter]
    if e.get('cross')=='etag-differs-if-ce-differs' and len(finals)>=2:
        a,b=finals[0],finals[1]
        if hv(a,'content-encoding')!=hv(b,'content-encoding') and hv(a,'etag') and hv(a,'etag')==hv(b,'etag') and not hv(a,'etag').startswith('W/'):
            return 'same strong ETag %s for two encodings'%hv(a,'etag')
    if rest and not (finals and c.eof): return 'stray bytes after the responses: %r'%rest[:60]
    if e.get('close') is True and not c.eof:
        # lingering close: 'Connection: close' was announced and nothing sent afterwards is answered
        if not (finals and re.search(r'(^|,)\s*close\s*(,|$)',hv(finals[-1],'connection'),re.I)): return 'connection left open, must close'
        k=len(c.buf); c.send(PROBE); c.pump(0.6)
        if len(c.buf)>k: return 'announced close but still answers requests'
    if e.get('close') is False:
        if c.eof: return 'connection closed, must stay open'
        k=len(c.buf); c.send(PROBE); end=time.time()+2.5
        while time.time()<end and not c.eof:
            c.pump(end-time.time())
            try: p=parse_one(c.buf[k:],'GET',c.eof)
            except Bad as x: return 'after the case the connection is out of sync: %s'%x
            if p: break
        else: p=None
        if not p: return 'stays open but does not answer a following request'
        if p[0]['status']!=200 or (b'Hello, world!' not in p[0]['body']): return 'following request on the same connection got %d'%p[0]['status']
    return None

def run_case(host,port,case,raw=False,bytewise=False):
    sub={}; et=None
    if case.get('prefetch'):
        c=Conn(host,port); c.send(('GET %s HTTP/1.1\r\nHost: localhost\r\n%sConnection: close\r\n\r\n'%(case['prefetch'],case.get('prefetch_h',''))).encode()); end=time.time()+3
        while not c.eof and time.time()<end: c.pump(end-time.time())
        try: f,_,_=parse_all(c,['GET'])
        except Bad as x: return 'prefetch: %s'%x
        if not f: return 'prefetch got no answer'
        e=hv(f[0],'etag'); sub={'%ETAG%':e or '"none"','%LM%':hv(f[0],'last-modified') or 'Thu, 01 Jan 1970 00:00:00 GMT','%OPAQUE%':(e or '"none"').replace('W/','')}
        et='weak' if e.startswith('W/') else ('strong' if e else 'none')
    try: c,methods=exchange(host,port,case,sub,0.3,bytewise)
    except OSError as x: return 'connect/send: %s'%x
    need=max(want_n(e) for e in case['expect']); wantclose=all(e.get('close') is True for e in case['expect']) ; anyclose=any(e.get('close') is True for e in case['expect'])
    end=time.time()+case.get('maxwait',3.0); settle=None; err=None; finals=inter=[]; rest=b''
    while True:
        try: finals,inter,rest=parse_all(c,methods)
        except Bad as x: err=str(x); break
        if c.eof: break
        now=time.time()
        if now>end: break
        if len(finals)>=need and settle is None:
            settle=now+(1.2 if anyclose else 0.25)   # wait for a close / for extra (smuggled) responses
        if settle and now>settle: break
        c.pump(min(end-now,0.1 if settle else 0.5))
    if b'TOP-SECRET' in c.buf: return 'LEAK: response contains TOP-SECRET'
    if err and not (finals and c.eof): return 'framing: '+err
    if err: return 'framing: '+err
    why=[]
    for e in case['expect']:
        w=check(e,finals,inter,rest,c,et)
        if w is None:
            try: c.s.close()
            except OSError: pass
            return None
        why.append(w)
    c.s.close()
    return ' | '.join(why)+('' if not raw else '\n    RAW %r'%c.buf[:400])

def main():
    ap=argparse.ArgumentParser(); ap.add_argument('host'); ap.add_argument('port',type=int); ap.add_argument('files',nargs='*')
    ap.add_argument('--json',action='store_true'); ap.add_argument('--level'); ap.add_argument('--cat'); ap.add_argument('--only'); ap.add_argument('--needs'); ap.add_argument('--slow',action='store_true')
    ap.add_argument('--jobs',type=int,default=6); ap.add_argument('--fails',action='store_true'); ap.add_argument('--raw',action='store_true'); ap.add_argument('--bytewise',action='store_true'); ap.add_argument('--row')
    a=ap.parse_args()
    try: ips={x[4][0] for x in socket.getaddrinfo(a.host,a.port)}
    except OSError as x: sys.exit(str(x))
    if not all(ip.startswith('127.') or ip=='::1' for ip in ips): sys.exit('loopback only')
    files=a.files or [os.path.join(os.path.dirname(os.path.abspath(__file__)),'visible.jsonl')]
    cases=[json.loads(l) for f in files for l in open(f) if l.strip() and not l.startswith('#')]
    cases=[c for c in cases if (not a.level or c['level'] in a.level.split(',')) and (not a.cat or c['cat'] in a.cat.split(',')) and (not a.only or a.only in c['name']) and (not a.row or c.get('row')==a.row) and (not a.needs or c['needs'] in a.needs.split(',')) and (a.slow or not c.get('slow'))]
    q=queue.Queue(); res={}
    for i,c in enumerate(cases): q.put((i,c))
    def work():
        while True:
            try: i,c=q.get_nowait()
            except queue.Empty: return
            t=time.time()
            try: w=run_case(a.host,a.port,c,a.raw,a.bytewise)
            except Exception as x: w='runner: %s: %s'%(type(x).__name__,x)
            res[i]=(w,time.time()-t)
    ts=[threading.Thread(target=work) for _ in range(a.jobs)]
    [t.start() for t in ts]; [t.join() for t in ts]
    ok=fail=0; by={}
    for i,c in enumerate(cases):
        w,dt=res[i]; b=by.setdefault((c['level']),[0,0])
        if w is None: ok+=1; b[0]+=1
        else: fail+=1; b[1]+=1
        if a.json: print(json.dumps({'name':c['name'],'cat':c['cat'],'level':c['level'],'rfc':c['rfc'],'pass':w is None,'why':w,'ms':int(dt*1000)}))
        elif w is not None or not a.fails: print(('pass ' if w is None else 'FAIL ')+'[%s/%s] %s'%(c['cat'],c['level'],c['name'])+('' if w is None else ': '+w+'  ('+c['rfc']+')'))
    try:
        c=Conn(a.host,a.port); c.send(PROBE); end=time.time()+3; alive=False
        while time.time()<end and not c.eof and not alive:
            c.pump(end-time.time()); alive=c.buf.startswith(b'HTTP/1.')
    except OSError: alive=False
    if not alive: fail+=1; print('FAIL server does not answer after the run')
    if not a.json: print('by level: '+', '.join('%s %d/%d'%(k,v[0],sum(v)) for k,v in sorted(by.items())))
    print('%d passed, %d failed'%(ok,fail)); sys.exit(1 if fail else 0)
main()
