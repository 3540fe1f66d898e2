using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>The running requests of each session, so that the end of a session ends its streams and WebSockets. Thread-safe.</summary>
internal sealed class SessionRequests
{
    private readonly ConcurrentDictionary<string, HashSet<Registration>> _open = new(StringComparer.Ordinal);

    /// <summary>Determines whether a session has a running request.</summary>
    public bool IsOpen(string hash) => _open.ContainsKey(hash);

    /// <summary>Adds a request, until the result is disposed.</summary>
    public IDisposable Add(string hash, HttpContext context)
    {
        var registration = new Registration(this, hash, context);
        while (true)
        {
            var requests = _open.GetOrAdd(hash, static _ => new HashSet<Registration>(ReferenceEqualityComparer.Instance));
            lock (requests)
            {
                // An empty set was removed from the dictionary, or is about to be.
                if (!_open.TryGetValue(hash, out var current) || !ReferenceEquals(current, requests))
                    continue;
                requests.Add(registration);
                return registration;
            }
        }
    }

    /// <summary>Aborts the running requests of a session, except for the one that ends it.</summary>
    public void Abort(string hash)
    {
        if (!_open.TryGetValue(hash, out var requests))
            return;
        Registration[] all;
        lock (requests)
            all = [.. requests];
        foreach (var registration in all)
            registration.Abort();
    }

    private void Remove(string hash, Registration registration)
    {
        if (!_open.TryGetValue(hash, out var requests))
            return;
        lock (requests)
        {
            requests.Remove(registration);
            if (requests.Count == 0)
                _open.TryRemove(KeyValuePair.Create(hash, requests));
        }
    }

    /// <summary>A running request. Its context is not used after the end of the request: servers reuse it.</summary>
    private sealed class Registration(SessionRequests owner, string hash, HttpContext context) : IDisposable
    {
        private readonly Lock _lock = new();
        private HttpContext? _context = context;

        public void Abort()
        {
            lock (_lock)
                _context?.Abort();
        }

        public void Dispose()
        {
            lock (_lock)
                _context = null;
            owner.Remove(hash, this);
        }
    }
}
