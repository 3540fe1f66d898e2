using KcdDelegation.Gateway.Requests;
using KcdDelegation.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace KcdDelegation.Gateway.Applications;

/// <summary>Forwards an encoded slash of a path as the client sent it, <c>%2F</c>.</summary>
/// <remarks>The server decodes all of a path but the slash, so <c>%2F</c> and <c>%252F</c> are the same text in it, which is forwarded as
/// <c>%252F</c>. The target as it was sent distinguishes them. It is used only if its normal form is the path on which the gateway has
/// decided.</remarks>
internal sealed class EncodedSlashes : ITransformProvider
{
    /// <summary>The character that represents an encoded slash, of the private use area.</summary>
    private const char Slash = '\uF8FF';

    private const string EncodedForm = "%EF%A3%BF";

    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    public void Apply(TransformBuilderContext context) => context.AddRequestTransform(static transform =>
    {
        var request = transform.HttpContext.Request;
        if (transform.Path == request.Path
            && FindPath(request.Path.Value, transform.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget) is { } path)
        {
            var address = RequestUtilities.MakeDestinationAddress(transform.DestinationPrefix, path, QueryString.Empty).AbsoluteUri
                .Replace(EncodedForm, "%2F", StringComparison.Ordinal);
            if (!HasViolation(new Uri(address).PathAndQuery))
                transform.ProxyRequest.RequestUri = new Uri(address + transform.Query.QueryString.ToUriComponent());
        }
        return ValueTask.CompletedTask;
    });

    /// <summary>Returns the path with its encoded slashes replaced by <see cref="Slash"/>; null if it has none, or if the target does not
    /// mean the same path.</summary>
    public static string? FindPath(string? path, string? rawTarget)
    {
        if (path is null || !path.Contains("%2F", StringComparison.OrdinalIgnoreCase)
            || SentTarget.FindPathAndQuery(rawTarget) is not { } sent)
            return null;
        var end = sent.IndexOf('?', StringComparison.Ordinal);
        var raw = end < 0 ? sent : sent[..end];
        if (raw.Contains(Slash, StringComparison.Ordinal))
            return null;
        var marked = RemoveDotSegments(Uri.UnescapeDataString(raw.Replace("%2F", $"{Slash}", StringComparison.OrdinalIgnoreCase)));
        // A client that sends the character itself does not get a slash for it: the texts differ.
        return marked.Contains(Slash, StringComparison.Ordinal) && string.Equals(
            marked.Replace($"{Slash}", "%2F", StringComparison.Ordinal), path.Replace("%2f", "%2F", StringComparison.Ordinal),
            StringComparison.Ordinal)
            ? marked : null;
    }

    /// <summary>Removes dot segments (RFC 3986 §5.2.4).</summary>
    private static string RemoveDotSegments(string path)
    {
        var kept = new List<string>();
        var segments = path[1..].Split('/');
        for (var i = 0; i < segments.Length; i++)
        {
            if (segments[i] is "." or "..")
            {
                if (segments[i] == ".." && kept.Count > 0)
                    kept.RemoveAt(kept.Count - 1);
                if (i == segments.Length - 1)
                    kept.Add("");
            }
            else
            {
                kept.Add(segments[i]);
            }
        }
        return "/" + string.Join('/', kept);
    }

    private static bool HasViolation(string path) => TargetText.FindViolation(path, path, allowsEncodedSlashes: true) is not null;
}
