using System.Net.Sockets;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using KcdDelegation.Gateway.Diagnosis;
using KcdDelegation.Gateway.Sessions;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Gateway.SignOut;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Hosting;

/// <summary>The local socket through which an administrator removes tickets and ends sessions. Its folder and its mode decide who can use
/// it.</summary>
/// <remarks>A request is one line, <c>{"user":"ada@contoso.com"}</c>, <c>{"application":"erp"}</c> or <c>{"all":true}</c>, and so is the
/// answer, <c>{"tickets":3}</c> or <c>{"error":"…"}</c>. With <c>"sessions":true</c>, sessions end too, and the answer has their number.
/// <c>kcd purge</c> sends it. A request that begins with <c>GET</c> is one of HTTP, for <see cref="AdminDoctor"/>.</remarks>
internal sealed class AdminSocket(
    GatewaySettingsStore settings, DelegationClient client, ILoggerFactory loggerFactory, AdminDoctor doctor, SessionEnd? sessions = null)
    : BackgroundService
{
    private const string OneRequired = "The request must have one of user, application and all.";

    /// <summary>The claims of a session that can name its user as the directory does.</summary>
    private static readonly string[] s_names =
    [
        "upn", ClaimTypes.Upn, "preferred_username", "unique_name", "email", ClaimTypes.Email, "onprem_sam_account_name",
        "onpremisessamaccountname", ClaimTypes.WindowsAccountName,
    ];

    private const int MaxRequestBytes = 4096;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    private readonly ILogger _logger = loggerFactory.CreateLogger(GatewayLog.Category);

    private Socket? _listener;

    /// <summary>Binds the socket. A path that cannot be used is an error of the settings.</summary>
    /// <exception cref="GatewaySettingsException">The path cannot be used.</exception>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (settings.Current.Operation.AdminSocket is { } path)
        {
            try
            {
                _listener = LocalSocket.Bind(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                _listener.Listen(8);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or SocketException)
            {
                throw new GatewaySettingsException(
                    [$"Operation:AdminSocket {PrintableText.Quoted(path)} cannot be used: {error.Message} Write another path, or correct "
                        + "the rights of its folder."]);
            }
        }
        return base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _listener?.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_listener is not { } listener)
            return;
        // The checks take seconds. Tickets can be removed meanwhile.
        var checks = Task.CompletedTask;
        try
        {
            while (true)
            {
                var connection = await listener.AcceptAsync(stoppingToken);
                if (await AnswerAsync(connection, stoppingToken) is { } request)
                    checks = Task.WhenAll(checks, AnswerHttpAsync(connection, request, stoppingToken));
                else
                    connection.Dispose();
                if (checks.IsCompleted)
                    checks = Task.CompletedTask;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await checks;
            // Deletes the file too.
            listener.Dispose();
        }
    }

    private async Task AnswerHttpAsync(Socket connection, byte[] request, CancellationToken stoppingToken)
    {
        using (connection)
        {
            try
            {
                var answer = await doctor.AnswerAsync(request, stoppingToken);
                using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                timeout.CancelAfter(s_timeout);
                for (var sent = 0; sent < answer.Length;)
                    sent += await connection.SendAsync(answer.AsMemory(sent), timeout.Token);
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException)
            {
                // The gateway ends, or the client does not wait for the answer.
            }
        }
    }

    /// <summary>Answers a request. Returns one of HTTP unanswered.</summary>
    private async Task<byte[]?> AnswerAsync(Socket connection, CancellationToken stoppingToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        timeout.CancelAfter(s_timeout);
        try
        {
            var request = await ReadLineAsync(connection, timeout.Token);
            if (AdminDoctor.IsHttp(request))
                return request;
            // The time-out is for the client. Many sessions take longer.
            timeout.CancelAfter(Timeout.InfiniteTimeSpan);
            var answer = Encoding.UTF8.GetBytes(await AnswerAsync(request, stoppingToken) + "\n");
            timeout.CancelAfter(s_timeout);
            await connection.SendAsync(answer, timeout.Token);
        }
        // A client that does not send its request, or does not wait for the answer.
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            stoppingToken.ThrowIfCancellationRequested();
        }
        return null;
    }

    private static async Task<byte[]> ReadLineAsync(Socket connection, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxRequestBytes];
        var length = 0;
        while (length < buffer.Length && !buffer.AsSpan(0, length).Contains((byte)'\n'))
        {
            var count = await connection.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
            if (count == 0)
                break;
            length += count;
        }
        return buffer[..length];
    }

    private async Task<string> AnswerAsync(byte[] request, CancellationToken cancellationToken)
    {
        try
        {
            using var document = JsonDocument.Parse(request);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return Error(OneRequired);
            var properties = document.RootElement.EnumerateObject().ToList();
            var endsSessions =
                properties.RemoveAll(static property => property is { Name: "sessions", Value.ValueKind: JsonValueKind.True }) == 1;
            if (properties is not [var only])
                return Error(OneRequired);
            var answer = new Dictionary<string, int>(StringComparer.Ordinal);
            // First the sessions, so that no request gets new tickets.
            if (endsSessions)
            {
                answer["sessions"] = await EndSessionsAsync(only, cancellationToken);
                GatewayLog.SessionsEnded(_logger, only.Name, answer["sessions"]);
            }
            if (PurgeTickets(only) is not { } tickets)
                return Error(OneRequired);
            GatewayLog.TicketsPurged(_logger, only.Name, tickets);
            answer["tickets"] = tickets;
            return JsonSerializer.Serialize(answer);
        }
        catch (Exception error) when (error
            is JsonException or ArgumentException or KcdException or IOException or UnauthorizedAccessException)
        {
            return Error(error is KcdException refusal ? $"{refusal.Cause} {refusal.Remedy}" : error.Message);
        }
    }

    private int? PurgeTickets(JsonProperty scope) => (scope.Name, scope.Value.ValueKind) switch
    {
        ("user", JsonValueKind.String) => GetPrincipals(scope.Value.GetString()!).Sum(client.Purge),
        ("application", JsonValueKind.String) => client.PurgeApplication(FindDelegation(scope.Value.GetString()!)),
        ("all", JsonValueKind.True) => client.PurgeAll(),
        _ => null,
    };

    private Task<int> EndSessionsAsync(JsonProperty scope, CancellationToken cancellationToken)
    {
        if (sessions is null)
            throw new ArgumentException("The gateway has no sessions, because State is not set.");
        switch (scope.Name, scope.Value.ValueKind)
        {
            case ("user", JsonValueKind.String):
                var name = scope.Value.GetString()!;
                HashSet<KerberosPrincipal> users = [.. GetPrincipals(name)];
                return sessions.EndAsync((ticket, user) => IsUserAsync(ticket, user, name, users, cancellationToken), cancellationToken);
            case ("all", JsonValueKind.True):
                return sessions.EndAsync(static (_, _) => Task.FromResult(true), cancellationToken);
            default:
                throw new ArgumentException("Sessions can be ended of one user or of all users.");
        }
    }

    /// <summary>Determines whether a session is of a user: by a claim with the user's name, or by the identity that is delegated.</summary>
    private async Task<bool> IsUserAsync(
        SessionTicket session, ClaimsPrincipal user, string name, HashSet<KerberosPrincipal> users, CancellationToken cancellationToken)
    {
        if (user.Claims.Any(claim =>
            s_names.Contains(claim.Type, StringComparer.Ordinal) && string.Equals(claim.Value, name, StringComparison.OrdinalIgnoreCase)))
            return true;
        foreach (var delegation in FindDelegations(session))
        {
            try
            {
                if (users.Contains(await client.MapAsync(delegation, user, cancellationToken)))
                    return true;
            }
            catch (KcdException)
            {
                // The user is not delegated to this application.
            }
        }
        return false;
    }

    /// <summary>Returns the delegation of the session's application. If it has none, those of the provider's other applications decide who
    /// the user is.</summary>
    private IEnumerable<string> FindDelegations(SessionTicket session) =>
        settings.Current.ApplicationsByHost.GetValueOrDefault(session.Host)?.Delegation is { } own
            ? [own]
            : settings.Current.Applications.Values.Where(application => application.Provider == session.Provider)
                .Select(static application => application.Delegation).OfType<string>().Distinct(StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns every name that the user can have in the cache: the user principal name as a whole, and the account in each
    /// realm.</summary>
    private IEnumerable<KerberosPrincipal> GetPrincipals(string name)
    {
        var at = name.IndexOf('@', StringComparison.Ordinal);
        if (at < 0)
            return GetRealms().Select(realm => KerberosPrincipal.Principal(name, realm));
        var enterprise = KerberosPrincipal.Enterprise(name);
        return GetRealms().Contains(name[(at + 1)..], StringComparer.OrdinalIgnoreCase)
            ? [enterprise, KerberosPrincipal.Principal(name[..at], name[(at + 1)..].ToUpperInvariant())] : [enterprise];
    }

    private HashSet<string> GetRealms() => client.Applications
        .SelectMany(application => (string?[])[application.Mapping.Realm, application.Mapping.UserRealm])
        .OfType<string>().ToHashSet(StringComparer.Ordinal);

    /// <summary>Returns the name of the application under <c>Kcd:Applications</c>.</summary>
    private string FindDelegation(string name) =>
        settings.Current.Applications.TryGetValue(name, out var application) && application.Delegation is { } delegation
            ? delegation : name;

    private static string Error(string text) =>
        JsonSerializer.Serialize(new Dictionary<string, string>(StringComparer.Ordinal) { ["error"] = text });
}
