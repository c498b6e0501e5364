/* Opens this device's doors without a network. The server puts VERSION, QUEUE and HEADERS before this. */
(function () {
  "use strict";
  var PAGES = /^\/[kq]\/[a-z0-9]+(\/screens)?$|^\/offline$|^\/manifest\.webmanifest$/i;
  var WAIT = 3000, GONE = [404, 409, 410];

  importScripts(QUEUE);

  function key(url) { return url.pathname + url.search; }
  /* a page token belongs to one person and is never kept */
  function stripped(html) { return html.replace(/(name="page" value=")[^"]*/g, "$1"); }
  function file(cache, path) {
    return cache.match(path).then(function (hit) {
      return hit || fetch(path).then(function (answer) {
        if (!answer.ok || answer.type !== "basic") throw new Error(path);
        return cache.put(path, answer);
      });
    });
  }
  /* a page and every file it names: all of them, or the page is not kept */
  function keep(cache, path, html) {
    return (html ? Promise.resolve(html) : fetch(path, { credentials: "omit", cache: "no-store" }).then(function (answer) {
      if (GONE.indexOf(answer.status) >= 0) return "";
      if (!answer.ok || answer.type !== "basic" || answer.redirected) throw new Error(path);
      return answer.text();
    })).then(function (text) {
      if (!text) return cache.delete(path);
      var names = text.match(/\/static\/[0-9a-f]+\/[\w.-]+/g) || [], kind = text[0] === "{" ? "application/manifest+json" : "text/html; charset=utf-8";
      return Promise.all(names.filter(function (name, n) { return names.indexOf(name) === n; }).map(function (name) {
        return file(cache, name);
      })).then(function () {
        var headers = JSON.parse(JSON.stringify(HEADERS));
        headers["Content-Type"] = kind;
        return cache.put(path, new Response(stripped(text), { headers: headers }));
      });
    });
  }
  function ours() {
    return caches.keys().then(function (names) {
      return names.filter(function (name) { return name.indexOf("sipas-") === 0; });
    });
  }
  function older() {
    return ours().then(function (names) { return names.filter(function (name) { return name !== VERSION; }); });
  }

  /* a new version takes over only when it holds every page the old one held */
  self.addEventListener("install", function (e) {
    e.waitUntil(older().then(function (names) {
      return Promise.all(names.map(function (name) {
        return caches.open(name).then(function (cache) { return cache.keys(); });
      }));
    }).then(function (lists) {
      var paths = [].concat.apply([], lists).map(function (request) { return new URL(request.url); })
        .filter(function (url) { return PAGES.test(url.pathname); }).map(key);
      return caches.open(VERSION).then(function (cache) {
        return Promise.all(paths.map(function (path) { return keep(cache, path); }));
      });
    }).then(function () { return self.skipWaiting(); }));
  });
  self.addEventListener("activate", function (e) {
    e.waitUntil(older().then(function (names) {
      return Promise.all(names.map(function (name) { return caches.delete(name); }));
    }).then(function () { return self.clients.claim(); }));
  });
  self.addEventListener("message", function (e) {
    var wanted = e.data && e.data.keep;
    if (!Array.isArray(wanted)) return;
    e.waitUntil(caches.open(VERSION).then(function (cache) {
      return Promise.all(wanted.map(function (one) {
        var url = new URL(one.url, location.origin);
        if (url.origin !== location.origin || !PAGES.test(url.pathname)) return null;
        return keep(cache, key(url), one.html).catch(function () { /* kept at the next visit */ });
      }));
    }));
  });

  /* the network is back and every tab is closed: what is left over asks to be called again */
  self.addEventListener("sync", function (e) {
    e.waitUntil(self.sipasQueue.flush().then(self.sipasQueue.count).then(function (left) {
      if (left) throw new Error(left + " unsent");
    }));
  });

  function page(event, request, url) {
    var online = fetch(request).then(function (answer) {
      var path = key(url), gone = GONE.indexOf(answer.status) >= 0;
      if (gone || (answer.ok && answer.type === "basic" && !answer.redirected)) {
        var text = gone ? Promise.resolve("") : answer.clone().text();
        event.waitUntil(Promise.all([text, caches.open(VERSION)]).then(function (both) {
          return both[0] ? keep(both[1], path, both[0]) : both[1].delete(path, { ignoreSearch: true });
        }).catch(function () { /* a page not kept is only a page not kept */ }));
      }
      return answer;
    });
    event.waitUntil(online.catch(function () {}));
    return caches.open(VERSION).then(function (cache) {
      return cache.match(key(url)).then(function (hit) {
        return hit || cache.match(key(url), { ignoreSearch: true });
      }).then(function (held) {
        if (!held) {
          return online.catch(function (fault) {
            return cache.match("/offline", { ignoreSearch: true }).then(function (hit) {
              if (hit && request.mode === "navigate") return hit;
              throw fault;
            });
          });
        }
        return new Promise(function (ok) {
          var late = setTimeout(function () { ok(held); }, WAIT);
          online.then(function (answer) {
            clearTimeout(late);
            ok(answer.status >= 500 ? held : answer);
          }, function () { clearTimeout(late); ok(held); });
        });
      });
    });
  }
  self.addEventListener("fetch", function (e) {
    var request = e.request, url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== location.origin) return;
    if (PAGES.test(url.pathname)) return e.respondWith(page(e, request, url));
    if (url.pathname.indexOf("/static/") === 0) {
      e.respondWith(caches.open(VERSION).then(function (cache) { return cache.match(url.pathname); })
        .then(function (hit) { return hit || fetch(request); }));
    }
  });
})();
