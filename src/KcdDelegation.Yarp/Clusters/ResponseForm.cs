using System.Net;

namespace KcdDelegation.Yarp.Clusters;

/// <summary>Refuses the responses of a backend that .NET accepts, and that cannot be passed on as they are.</summary>
internal static class ResponseForm
{
    /// <summary>Disposes a response that cannot be passed on.</summary>
    /// <exception cref="HttpRequestException">The response cannot be passed on.</exception>
    public static void ThrowIfFlawed(HttpRequestMessage request, HttpResponseMessage response)
    {
        if (FindFlaw(request, response) is not { } flaw)
            return;
        response.Dispose();
        throw new HttpRequestException(HttpRequestError.InvalidResponse, $"The response of the backend is not accepted: {flaw}.");
    }

    private static string? FindFlaw(HttpRequestMessage request, HttpResponseMessage response)
    {
        // RFC 9110 §15: a status code has three digits, and the first one is from 1 to 5. .NET reads 000 to 999, and the final response.
        if ((int)response.StatusCode < 200 && response.StatusCode != HttpStatusCode.SwitchingProtocols)
            return "its status code is not one of a final response";
        // RFC 9110 §7.8: a server changes to a protocol of the request's Upgrade field. The client would read the rest of the connection as
        // that protocol, and the gateway would pass it on unread.
        if (response.StatusCode == HttpStatusCode.SwitchingProtocols && !IsRequested(request, response))
            return "it changes to a protocol that the request does not name (Upgrade)";
        // RFC 9112 §6.1: .NET decodes chunked alone, and the field is not passed on. The client would get another body.
        return response.Headers.NonValidated.TryGetValues("Transfer-Encoding", out var codings)
            && !(codings.Count == 1 && string.Equals(codings.ToString(), "chunked", StringComparison.OrdinalIgnoreCase))
            ? "its Transfer-Encoding is not chunked alone" : null;
    }

    private static bool IsRequested(HttpRequestMessage request, HttpResponseMessage response)
    {
        var (requested, accepted) = (request.Headers.Upgrade, response.Headers.Upgrade);
        return accepted.Count > 0
            && accepted.All(protocol => requested.Any(
                other => string.Equals(other.ToString(), protocol.ToString(), StringComparison.OrdinalIgnoreCase)));
    }
}
