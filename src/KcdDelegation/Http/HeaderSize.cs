using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using KcdDelegation.Diagnosis;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Http;

/// <summary>The number of bytes in a request's header fields, as the cause of an answer. Users in many groups have large tickets.</summary>
internal static class HeaderSize
{
    /// <summary>The number of bytes from which the header fields may be the cause of an answer that has other causes too. The smallest
    /// usual limit is 8 KB.</summary>
    private const int MinSuspicious = 4096;

    /// <summary>The status that nginx uses for a request header that is too large.</summary>
    private const HttpStatusCode NginxHeaderTooLarge = (HttpStatusCode)494;

    private const string Remedy =
        "Raise the limit of the backend, and of each proxy in front of it, above these sizes, or reduce the user's groups: large tickets "
        + "come from memberships in many groups and from SID history. Usual limits are: IIS and http.sys 16 KB (MaxFieldLength for one "
        + "field, MaxRequestBytes for all), Apache 8190 bytes for one field (LimitRequestFieldSize), nginx 8 KB for one field "
        + "(large_client_header_buffers), Tomcat 8 KB for all (maxHttpHeaderSize), Kestrel 32 KB for all (MaxRequestHeadersTotalSize).";

    /// <summary>Determines whether a status states that the header fields are too large. A 413 to a request without a body cannot concern
    /// anything else.</summary>
    public static bool IsStatedBy(HttpStatusCode status, HttpRequestMessage request) =>
        status is HttpStatusCode.RequestHeaderFieldsTooLarge or NginxHeaderTooLarge
        || (status == HttpStatusCode.RequestEntityTooLarge && request.Content is null);

    /// <summary>Determines whether the header fields are a possible cause of a status that has other causes too.</summary>
    public static bool MayCause(HttpStatusCode status, HttpRequestMessage request, SentAuthorization sent, LearnedBackend learned) =>
        status is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge && IsSuspicious(request, sent, learned);

    /// <summary>Determines whether the header fields are a possible cause of a connection that was closed before the response.</summary>
    public static bool MayCause(HttpRequestException error, HttpRequestMessage request, SentAuthorization sent, LearnedBackend learned) =>
        IsClosed(error) && IsSuspicious(request, sent, learned);

    /// <summary>Logs the sizes and the usual limits, and returns them for the host.</summary>
    /// <param name="application">The application.</param>
    /// <param name="action">The backend's action, to follow the words "the backend of NAME" and precede "a request".</param>
    /// <param name="request">The request, with its <c>Authorization</c> field.</param>
    /// <param name="sent">The field's value.</param>
    /// <param name="logger">The logger.</param>
    public static KcdException Report(
        ApplicationSettings application, string action, HttpRequestMessage request, SentAuthorization sent, ILogger logger)
    {
        var (all, own, ticket) = (Measure(request, sent), sent.Length, sent.Ticket.Size);
        Log.HeaderMayBeTooLarge(logger, application.Name, action, all, own, ticket, Remedy);
        return new DelegationFailure(
            KcdStage.Target, KcdErrorKind.Configuration, KcdEventId.HeaderMayBeTooLarge,
            $"The backend of {application.Name} {action} a request with {all} bytes of header fields. The Authorization field has {own} "
                + $"bytes, for a ticket of {ticket} bytes.",
            Remedy).ToException();
    }

    private static bool IsSuspicious(HttpRequestMessage request, SentAuthorization sent, LearnedBackend learned) =>
        !learned.HasAcceptedLength(sent.Length) && Measure(request, sent) >= MinSuspicious;

    private static bool IsClosed(HttpRequestException error) =>
        error.HttpRequestError == HttpRequestError.ResponseEnded
        || (error.InnerException is HttpRequestException inner && IsClosed(inner))
        || error.InnerException is IOException
        {
            InnerException: SocketException
            {
                SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown,
            },
        };

    /// <summary>Returns the number of bytes of all header fields, each with its separators (RFC 9112 §5).</summary>
    private static int Measure(HttpRequestMessage request, SentAuthorization sent) =>
        Measure(request.Headers) + sent.LengthBeyondPlaceholder + (request.Content is { } content ? Measure(content.Headers) : 0);

    private static int Measure(HttpHeaders headers) =>
        headers.NonValidated.Sum(field => field.Value.Sum(value => field.Key.Length + value.Length + ": \r\n".Length));
}
