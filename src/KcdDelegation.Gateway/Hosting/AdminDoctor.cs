using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Web;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Hosting;

/// <summary>Answers <c>GET /doctor</c> on the administrator's socket with the report of <c>kcd doctor</c> for the settings in
/// effect.</summary>
/// <remarks>One run at a time. A run proves the account's key once. If the KDC rejected the key, the next run waits for a minute, so that
/// requests do not lock the account.</remarks>
internal sealed class AdminDoctor(GatewaySettingsStore settings, DelegationClient client, ILoggerFactory loggerFactory, TimeProvider time)
    : IDisposable
{
    private const string Path = "/doctor";

    private static readonly TimeSpan s_waitAfterRejectedKey = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _one = new(1);
    private long? _rejectedAt;

    /// <summary>Returns whether the first line of a request is one of HTTP.</summary>
    public static bool IsHttp(ReadOnlySpan<byte> request) => request.StartsWith("GET "u8);

    /// <summary>Runs the checks and returns the response.</summary>
    /// <param name="request">The head of the request.</param>
    /// <param name="stoppingToken">Ends the run.</param>
    public async Task<byte[]> AnswerAsync(byte[] request, CancellationToken stoppingToken)
    {
        var line = Encoding.ASCII.GetString(request).Split('\n')[0].Trim().Split(' ');
        if (line is not ["GET", var target, "HTTP/1.0" or "HTTP/1.1"])
            return Respond(400, "Bad Request", Encoding.UTF8.GetBytes("The request is not one of HTTP/1.1.\n"),
                "text/plain; charset=utf-8");
        var parts = target.Split('?', 2);
        if (parts[0] != Path)
            return Refuse(404, "Not Found", $"There is no {parts[0]}. GET {Path}?app=NAME&user=USER runs the checks of kcd doctor.");
        var query = HttpUtility.ParseQueryString(parts.Length > 1 ? parts[1] : "");
        if (query.AllKeys.FirstOrDefault(key => key is not ("app" or "user" or "user-realm" or "other-user")) is { } unknown)
            return Refuse(400, "Bad Request", $"There is no parameter {unknown}. Parameters: app, user, user-realm, other-user.");
        if (!await _one.WaitAsync(TimeSpan.Zero, stoppingToken))
            return Refuse(503, "Service Unavailable", "Another run is not complete yet.");
        try
        {
            if (_rejectedAt is { } at && time.GetElapsedTime(at) < s_waitAfterRejectedKey)
                return Refuse(503, "Service Unavailable",
                    "The KDC rejected the account's key less than a minute ago. It is not proven again yet.");
            return await ExamineAsync(query["app"], query["user"], query["user-realm"], query["other-user"], stoppingToken);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<byte[]> ExamineAsync(
        string? application, string? user, string? realm, string? other, CancellationToken stoppingToken)
    {
        var delegations = GetSettings();
        var delegation = application is not null && settings.Current.Applications.TryGetValue(application, out var found)
            ? found.Delegation ?? application
            : application;
        if (delegation is not null && !delegations.ContainsKey(delegation))
            return Refuse(404, "Not Found", $"The application {application} is not configured, or is not delegated.");
        DoctorRequest request;
        try
        {
            request = new DoctorRequest
            {
                Settings = new KcdSettings(delegations, Token: null),
                Applications = delegation is null ? [] : [delegation],
                User = Read(user, realm),
                OtherUser = Read(other, realm),
                CommandLine = "kcd doctor --config FILE" + (delegation is null ? "" : $" --app {delegation}")
                    + (user is null ? "" : $" --user {user}"),
                LoggerFactory = loggerFactory,
                TimeProvider = time,
            };
        }
        catch (ArgumentException refused)
        {
            return Refuse(400, "Bad Request", refused.Message);
        }
        var report = await DelegationDoctor.ExamineAsync(request, progress: null, stoppingToken);
        _rejectedAt = report.Findings.Any(finding => finding is { Check: CheckIds.KeyCurrent, Verdict: DoctorVerdict.Fix })
            ? time.GetTimestamp()
            : null;
        using var json = new MemoryStream();
        var version = typeof(AdminDoctor).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        DoctorJson.Write(report, version?.Split('+')[0] ?? "", "the settings in effect", json);
        return Respond(200, "OK", json.ToArray(), "application/json");
    }

    /// <summary>Returns the applications of the library. The gateway's own settings name the origins of an application.</summary>
    private FrozenDictionary<string, ApplicationSettings> GetSettings() => client.Applications
        .Select(application => application.InternalUrl is not null ? application : application with
        {
            InternalUrl = settings.Current.Applications.Values
                .FirstOrDefault(each => string.Equals(each.Delegation, application.Name, StringComparison.OrdinalIgnoreCase))?
                .InternalUrls.FirstOrDefault(),
        })
        .ToFrozenDictionary(application => application.Name, StringComparer.OrdinalIgnoreCase);

    private static DoctorUser? Read(string? name, string? realm)
    {
        if (name is null)
            return null;
        var user = new DoctorUser(name, realm);
        _ = user.ToPrincipal("REALM");
        return user;
    }

    private static byte[] Refuse(int status, string reason, string text) =>
        Respond(status, reason, Encoding.UTF8.GetBytes(text + "\n"), "text/plain; charset=utf-8");

    private static byte[] Respond(int status, string reason, byte[] body, string type) =>
    [
        .. Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status} {reason}\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\nCache-Control: no-store\r\n"
            + $"Connection: close\r\n\r\n")),
        .. body,
    ];
}
