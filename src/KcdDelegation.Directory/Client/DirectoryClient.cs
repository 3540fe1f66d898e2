using KcdDelegation.DirectoryServices.Client;
using KcdDelegation.DirectoryServices.Connections;
using KcdDelegation.DirectoryServices.Errors;
using KcdDelegation.DirectoryServices.Messages;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.DirectoryServices;

/// <summary>A read-only client of an LDAP directory. It binds with the reader's Kerberos ticket, and encrypts every connection by Kerberos
/// or TLS. Thread-safe.</summary>
/// <remarks>There is no simple or anonymous bind, and referrals are not followed. Everything that a server sends is bounded. A search that
/// fails at one server is sent to the next one; a refusal is final.</remarks>
public sealed class DirectoryClient : IAsyncDisposable
{
    private static readonly TimeSpan MaxIdleTime = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MaxConnectionAge = TimeSpan.FromMinutes(15);

    /// <summary>A range of an attribute has about 1,500 values, so this covers 3 million.</summary>
    private const int MaxRanges = 2_000;

    private readonly DirectoryClientOptions _options;
    private readonly ServerList _servers;
    private readonly SemaphoreSlim _permits;
    private readonly Lock _lock = new();
    private readonly Stack<(LdapConnection Connection, DirectoryServer Server)> _idle = [];
    private readonly ILogger _logger;
    private bool _disposed;

    /// <summary>Creates a client. No server is contacted yet.</summary>
    /// <exception cref="ArgumentException">An option is missing or out of range.</exception>
    public DirectoryClient(DirectoryClientOptions options)
        : this(options, null)
    {
    }

    internal DirectoryClient(DirectoryClientOptions options, DnsClient? dns)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(options.Reader);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Domain);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxConnections);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxEntries);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxValues);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxMessageLength, 1024);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxMessageLength, 256 << 20);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.Timeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.ConnectTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.AnswerTimeout, TimeSpan.Zero);
        _options = options;
        _servers = new ServerList(options, dns ?? new DnsClient(DnsClient.SystemServers, options.TimeProvider));
        _permits = new SemaphoreSlim(options.MaxConnections);
        _logger = options.LoggerFactory?.CreateLogger<DirectoryClient>() ?? NullLogger<DirectoryClient>.Instance;
    }

    /// <summary>Runs a search and returns its entries.</summary>
    /// <param name="search">The search.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="ArgumentException">The search has an attribute whose name is not valid.</exception>
    /// <exception cref="DirectoryException">No server answered, a server refused, an answer was rejected, or a bound was
    /// exceeded.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public async Task<IReadOnlyList<LdapEntry>> SearchAsync(LdapSearch search, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(search);
        search.ThrowIfInvalid();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.Timeout);
        try
        {
            await _permits.WaitAsync(limit.Token).ConfigureAwait(false);
            try
            {
                return await SearchServersAsync(search, limit.Token).ConfigureAwait(false);
            }
            finally
            {
                _permits.Release();
            }
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw DirectoryException.Unreachable(
                _options.Domain, $"the search is not complete within {_options.Timeout.TotalSeconds:0.#} seconds", error);
        }
    }

    /// <summary>Reads one entry, or returns null if it does not exist.</summary>
    /// <param name="name">The distinguished name; empty for the server's own entry (rootDSE).</param>
    /// <param name="attributes">The attributes to return.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="DirectoryException">No server answered, a server refused, an answer was rejected, or a bound was
    /// exceeded.</exception>
    public async Task<LdapEntry?> FindEntryAsync(
        string name, IReadOnlyList<string> attributes, CancellationToken cancellationToken = default)
    {
        try
        {
            var found = await SearchAsync(
                new LdapSearch { Base = name, Scope = LdapScope.Base, Attributes = attributes, PageSize = 0 }, cancellationToken)
                .ConfigureAwait(false);
            return found is [var entry] ? entry : null;
        }
        catch (DirectoryException error) when (error.ResultCode == LdapResultCode.NoSuchObject)
        {
            return null;
        }
    }

    /// <summary>Closes the idle connections. Those of searches that run are closed when the search is complete.</summary>
    public async ValueTask DisposeAsync()
    {
        List<LdapConnection> idle;
        lock (_lock)
        {
            _disposed = true;
            idle = [.. _idle.Select(each => each.Connection)];
            _idle.Clear();
        }
        foreach (var connection in idle)
            await connection.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<LdapEntry>> SearchServersAsync(LdapSearch search, CancellationToken cancellationToken)
    {
        // An idle connection may have been closed by the server. The search changes nothing, so it is sent again on a new one.
        while (await TakeIdleAsync().ConfigureAwait(false) is { } idle)
        {
            try
            {
                return await SearchAsync(idle.Connection, idle.Server, search, cancellationToken).ConfigureAwait(false);
            }
            catch (DirectoryException error) when (error.IsOfOneServer)
            {
                DirectoryLog.ConnectionLost(_logger, idle.Server.Name, error.Message);
            }
        }
        DirectoryException? last = null;
        foreach (var server in await _servers.GetAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                var connection = await LdapConnection.OpenAsync(server, _options, cancellationToken).ConfigureAwait(false);
                _servers.ReportSuccess(server);
                return await SearchAsync(connection, server, search, cancellationToken).ConfigureAwait(false);
            }
            catch (DirectoryException error) when (error.IsOfOneServer || error.IsUnknownName)
            {
                _servers.ReportFailure(server);
                DirectoryLog.ServerFailed(_logger, server.Name, error.Message);
                last = error;
            }
        }
        throw last ?? DirectoryException.Unreachable(_options.Domain, "there is no server");
    }

    private async Task<IReadOnlyList<LdapEntry>> SearchAsync(
        LdapConnection connection, DirectoryServer server, LdapSearch search, CancellationToken cancellationToken)
    {
        var entries = new List<LdapEntry>();
        var isComplete = false;
        try
        {
            var budget = new SearchBudget(_options, server.Name);
            byte[]? cookie = search.PageSize > 0 && search.Scope != LdapScope.Base ? [] : null;
            do
            {
                var count = entries.Count;
                var page = await connection.SearchAsync(search, search.RequestedAttributes, cookie, budget, entries, cancellationToken)
                    .ConfigureAwait(false);
                if (page.References > 0)
                    DirectoryLog.ReferencesIgnored(_logger, server.Name, page.References);
                // A server that repeats an empty page would be asked for ever.
                if (!page.Cookie.IsEmpty && entries.Count == count && page.References == 0 && page.Cookie.Span.SequenceEqual(cookie))
                    throw DirectoryException.Rejected(server.Name, "the server repeats an empty page");
                cookie = page.Cookie.IsEmpty ? null : page.Cookie.ToArray();
                budget.TakeBytes(64);
            }
            while (cookie is not null);
            foreach (var entry in entries)
                await ReadRangesAsync(connection, server, entry, search, budget, cancellationToken).ConfigureAwait(false);
            isComplete = true;
            return entries;
        }
        finally
        {
            if (!isComplete)
            {
                foreach (var entry in entries)
                    entry.Dispose();
            }
            await ReturnAsync(connection, server).ConfigureAwait(false);
        }
    }

    /// <summary>Reads the rest of attributes with many values (MS-ADTS §3.1.1.3.1.3.3): the server returns them in ranges.</summary>
    private static async Task ReadRangesAsync(
        LdapConnection connection,
        DirectoryServer server,
        LdapEntry entry,
        LdapSearch search,
        SearchBudget budget,
        CancellationToken cancellationToken)
    {
        foreach (var description in entry.AttributeNames.Where(ValueRange.IsRange).ToList())
        {
            var range = ValueRange.Parse(description)
                ?? throw DirectoryException.Rejected(server.Name, "the server returned a range of values that is not valid");
            entry.Move(description, range.Attribute);
            for (var count = 0; range.Next is { } next; count++)
            {
                if (count == MaxRanges)
                    throw DirectoryException.Large(server.Name, $"the attribute {range.Attribute} has too many ranges of values");
                var query = search with { Base = entry.Name, Scope = LdapScope.Base, Filter = LdapFilter.Present("objectClass") };
                var parts = new List<LdapEntry>();
                await connection.SearchAsync(query, [next], cookie: null, budget, parts, cancellationToken).ConfigureAwait(false);
                if (parts is not [var part] || part.AttributeNames.FirstOrDefault(ValueRange.IsRange) is not { } name
                    || ValueRange.Parse(name) is not { } following || !following.Continues(range))
                    throw DirectoryException.Rejected(server.Name, "the server does not continue a range of values");
                entry.Take(part, name, range.Attribute);
                range = following;
            }
        }
    }

    private async ValueTask<(LdapConnection Connection, DirectoryServer Server)?> TakeIdleAsync()
    {
        while (true)
        {
            (LdapConnection Connection, DirectoryServer Server) taken;
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (!_idle.TryPop(out taken))
                    return null;
            }
            var time = _options.TimeProvider;
            if (time.GetElapsedTime(taken.Connection.UsedAt) < MaxIdleTime
                && time.GetElapsedTime(taken.Connection.OpenedAt) < MaxConnectionAge)
                return taken;
            await taken.Connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask ReturnAsync(LdapConnection connection, DirectoryServer server)
    {
        if (!connection.IsBroken)
        {
            connection.UsedAt = _options.TimeProvider.GetTimestamp();
            lock (_lock)
            {
                if (!_disposed)
                {
                    _idle.Push((connection, server));
                    return;
                }
            }
        }
        await connection.DisposeAsync().ConfigureAwait(false);
    }
}
