using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using KcdDelegation.Http;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The response of a backend to one request, or the reason why there is none. All text in it is printable.</summary>
internal sealed record BackendAttempt
{
    private const int MaxText = 100;

    /// <summary>Gets the status, the challenges and the reply token; null if there is no response.</summary>
    public BackendAnswer? Answer { get; private init; }

    /// <summary>Gets the ticket that was sent, or null.</summary>
    public SentAuthorization? Sent { get; private init; }

    /// <summary>Gets the Server field, or null.</summary>
    public string? Server { get; private init; }

    /// <summary>Gets the Date field, which is the clock of the server; null if there is none.</summary>
    public DateTimeOffset? Date { get; private init; }

    /// <summary>Gets the scheme, the host and the port of the Location field, or null.</summary>
    public string? Location { get; private init; }

    /// <summary>Gets whether the backend states that the connection belongs to its user from now on (MS-N2HT §3.2.5).</summary>
    public bool IsTied { get; private init; }

    /// <summary>Gets the hash of the body; null if the body was not read or is too long.</summary>
    public byte[]? BodyHash { get; private init; }

    /// <summary>Gets the reason why there is no response, or null.</summary>
    public string? Failure { get; private init; }

    /// <summary>Gets whether the time for an answer has passed.</summary>
    public bool IsTimeout { get; private init; }

    /// <summary>Gets whether the backend closed the connection before the response.</summary>
    public bool IsClosed { get; private init; }

    public int Status => Answer is { } answer ? (int)answer.Status : 0;

    /// <summary>Gets whether the backend served the request.</summary>
    public bool IsSuccess => Status is >= 200 and < 400 && Answer!.IsRefusal == false;

    public static BackendAttempt FromResponse(HttpResponseMessage response, SentAuthorization? sent, byte[]? body) => new()
    {
        Answer = BackendAnswer.Read(response),
        Sent = sent,
        Server = ReadField(response, "Server") is { Length: > 0 } server ? PrintableText.From(server, MaxText) : null,
        Date = ReadField(response, "Date") is { } date
            && DateTimeOffset.TryParseExact(date, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
                ? time : null,
        Location = ReadOrigin(response),
        IsTied = ReadField(response, PersistentAuthReader.Header) is { } tied
            && !tied.Trim().Equals("false", StringComparison.OrdinalIgnoreCase),
        BodyHash = body is null ? null : SHA256.HashData(body),
    };

    public static BackendAttempt FromTimeout(TimeSpan timeout) => new()
    {
        Failure = $"no response within {timeout.TotalSeconds:0.#} s",
        IsTimeout = true,
    };

    public static BackendAttempt FromError(Exception error, SentAuthorization? sent) => new()
    {
        Sent = sent,
        Failure = PrintableText.From(GetInnermost(error).Message.TrimEnd('.'), 200),
        IsClosed = IsClosedBy(error),
    };

    /// <summary>Returns the status and the challenges, without tokens.</summary>
    public string Describe()
    {
        if (Answer is not { } answer)
            return Failure ?? "no response";
        var schemes = string.Join(", ", DescribeOffers());
        return $"{Status}" + (schemes.Length > 0 ? $", offers {schemes}" : "") + (Server is null ? "" : $", server {Server}");
    }

    /// <summary>Returns the schemes that the backend offers, in its order.</summary>
    public IEnumerable<string> DescribeOffers() => Answer is { } answer
        ? answer.Challenges.Take(8).Select(challenge => PrintableText.From(challenge.Scheme, 32))
        : [];

    private static string? ReadField(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? string.Join(", ", values) : null;

    private static string? ReadOrigin(HttpResponseMessage response)
    {
        if (ReadField(response, "Location") is not { } text
            || !Uri.TryCreate(response.RequestMessage?.RequestUri, text, out var target) || target.Host.Length == 0)
            return null;
        return PrintableText.From(target.GetLeftPart(UriPartial.Authority), MaxText);
    }

    private static Exception GetInnermost(Exception error) => error.InnerException is { } inner ? GetInnermost(inner) : error;

    private static bool IsClosedBy(Exception error) => error switch
    {
        TokenSpentException or HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } => true,
        HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } => true,
        SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown } => true,
        _ => error.InnerException is { } inner && IsClosedBy(inner),
    };
}
