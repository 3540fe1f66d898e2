using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using KcdDelegation.Gateway.Diagnosis;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Kerberos;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Hosting;

/// <summary>The local socket through which an administrator removes tickets. Its folder and its mode decide who can use it.</summary>
/// <remarks>A request is one line, <c>{"user":"ada@contoso.com"}</c>, <c>{"application":"erp"}</c> or <c>{"all":true}</c>, and so is the
/// answer, <c>{"tickets":3}</c> or <c>{"error":"…"}</c>. <c>kcd purge</c> sends it.</remarks>
internal sealed class AdminSocket(GatewaySettingsStore settings, DelegationClient client, ILoggerFactory loggerFactory) : BackgroundService
{
    private const int MaxRequestBytes = 4096;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    private readonly ILogger _logger = loggerFactory.CreateLogger(GatewayLog.Category);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings.Current.Operation.AdminSocket is not { } path)
            return;
        // A socket file of a process that has ended.
        File.Delete(path);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen(8);
        try
        {
            while (true)
            {
                using var connection = await listener.AcceptAsync(stoppingToken);
                await AnswerAsync(connection, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            File.Delete(path);
        }
    }

    private async Task AnswerAsync(Socket connection, CancellationToken stoppingToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        timeout.CancelAfter(s_timeout);
        try
        {
            var answer = Encoding.UTF8.GetBytes(Answer(await ReadLineAsync(connection, timeout.Token)) + "\n");
            await connection.SendAsync(answer, timeout.Token);
        }
        // A client that does not send its request, or does not wait for the answer.
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            stoppingToken.ThrowIfCancellationRequested();
        }
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

    private string Answer(byte[] request)
    {
        try
        {
            using var document = JsonDocument.Parse(request);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.EnumerateObject().ToList() is [var only])
            {
                int? tickets = (only.Name, only.Value.ValueKind) switch
                {
                    ("user", JsonValueKind.String) => PurgeUser(only.Value.GetString()!),
                    ("application", JsonValueKind.String) => client.PurgeApplication(FindDelegation(only.Value.GetString()!)),
                    ("all", JsonValueKind.True) => client.PurgeAll(),
                    _ => null,
                };
                if (tickets is { } count)
                {
                    GatewayLog.TicketsPurged(_logger, only.Name, count);
                    return JsonSerializer.Serialize(new Dictionary<string, int>(StringComparer.Ordinal) { ["tickets"] = count });
                }
            }
            return Error("The request must have one of user, application and all.");
        }
        catch (Exception error) when (error is JsonException or ArgumentException or KcdException)
        {
            return Error(error is KcdException refusal ? $"{refusal.Cause} {refusal.Remedy}" : error.Message);
        }
    }

    /// <summary>Removes the tickets under every name that the user can have in the cache: the user principal name as a whole, and the
    /// account in each realm.</summary>
    private int PurgeUser(string name)
    {
        var at = name.IndexOf('@', StringComparison.Ordinal);
        if (at < 0)
            return GetRealms().Sum(realm => client.Purge(KerberosPrincipal.Principal(name, realm)));
        var account = GetRealms().Contains(name[(at + 1)..], StringComparer.OrdinalIgnoreCase)
            ? client.Purge(KerberosPrincipal.Principal(name[..at], name[(at + 1)..].ToUpperInvariant())) : 0;
        return account + client.Purge(KerberosPrincipal.Enterprise(name));
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
