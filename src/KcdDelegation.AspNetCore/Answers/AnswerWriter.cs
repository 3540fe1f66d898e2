using System.Diagnostics;
using System.Globalization;
using KcdDelegation.AspNetCore.Diagnosis;
using KcdDelegation.AspNetCore.Requests;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KcdDelegation.AspNetCore.Answers;

/// <summary>Answers requests that cannot be delegated. The reason is in the log; the client gets only what its user needs.</summary>
internal sealed class AnswerWriter(
    IOptions<KcdAnswerOptions> options, IKcdErrorPage page, ILoggerFactory loggerFactory, TimeProvider timeProvider)
{
    /// <summary>The number of inner exceptions that are searched. Client libraries and YARP wrap the handler's exception once or
    /// twice.</summary>
    private const int MaxDepth = 8;

    private readonly ILogger _logger = loggerFactory.CreateLogger(WebLog.Category);

    /// <summary>Finds the error of delegation in an exception and those that it wraps; null if there is none.</summary>
    public static KcdException? FindError(Exception? exception)
    {
        for (var depth = 0; depth < MaxDepth && exception is not null; depth++, exception = exception.InnerException)
        {
            if (exception is KcdException error)
                return error;
        }
        return null;
    }

    /// <summary>Answers the request because of an error.</summary>
    /// <remarks>401 is only for the caller's own sign-in: a client reacts to it by signing in again. The request of a signed-in user never
    /// gets it.</remarks>
    public async Task WriteErrorAsync(HttpContext context, KcdException error)
    {
        if (error.Kind != KcdErrorKind.NotAuthenticated)
            await WriteAsync(context, error, error.Kind).ConfigureAwait(false);
        else if (context.User.Identity?.IsAuthenticated == true)
            await WriteAsync(context, error, KcdErrorKind.Configuration).ConfigureAwait(false);
        else if (!context.Response.HasStarted && await CanChallengeAsync(context).ConfigureAwait(false))
            await ChallengeAsync(context).ConfigureAwait(false);
        else
            await WriteAsync(context, error, error.Kind).ConfigureAwait(false);
    }

    /// <summary>Answers the request because a backend refused the ticket.</summary>
    public Task WriteRefusalAsync(HttpContext context, KcdException refusal) => WriteAsync(
        context, refusal, refusal.Kind == KcdErrorKind.UserNotPermitted ? KcdErrorKind.UserNotPermitted : KcdErrorKind.Configuration);

    private async Task WriteAsync(HttpContext context, KcdException error, KcdErrorKind kind)
    {
        var answer = Create(context, error, kind);
        if (context.Response.HasStarted)
        {
            // Half a response must not look like a whole one.
            WebLog.ResponseAborted(_logger, error.EventId, answer.ActivityId);
            context.Abort();
            return;
        }
        WebLog.ErrorAnswered(_logger, answer.StatusCode, error.EventId, kind, answer.ActivityId);
        SetHeaders(context, answer);
        if (!ClientPreference.WantsPage(context.Request) || !await TryWritePageAsync(context, answer).ConfigureAwait(false))
            await ProblemAnswer.WriteAsync(context, answer).ConfigureAwait(false);
    }

    private KcdErrorAnswer Create(HttpContext context, KcdException error, KcdErrorKind kind)
    {
        var texts = AnswerTexts.Get(kind);
        return new KcdErrorAnswer
        {
            Kind = kind,
            StatusCode = texts.Status,
            Type = texts.Type,
            Title = texts.Title,
            Explanation = texts.Explanation,
            Advice = texts.Advice,
            ActivityId = error.TraceId ?? Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier,
            Time = timeProvider.GetUtcNow(),
            RetryAfter = kind == KcdErrorKind.Unavailable ? options.Value.RetryAfter : null,
            Contact = options.Value.Contact,
            ContactAddress = options.Value.ContactAddress,
        };
    }

    /// <summary>Drops the headers of the failed response, which describe another body. Those of outer middleware are kept.</summary>
    private static void Reset(HttpResponse response)
    {
        response.Clear();
        foreach (var (name, value) in DelegatedRequest.Current?.OuterHeaders ?? [])
            response.Headers[name] = value;
    }

    private static void SetHeaders(HttpContext context, KcdErrorAnswer answer)
    {
        var response = context.Response;
        Reset(response);
        response.StatusCode = answer.StatusCode;
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        if (answer.RetryAfter is { } retryAfter)
            response.Headers.RetryAfter = Math.Ceiling(retryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        // RFC 9110 §15.5.2: a 401 has a challenge.
        if (answer.StatusCode == StatusCodes.Status401Unauthorized)
            response.Headers.WWWAuthenticate = "Bearer";
    }

    private async Task<bool> TryWritePageAsync(HttpContext context, KcdErrorAnswer answer)
    {
        try
        {
            await page.WriteAsync(context, answer).ConfigureAwait(false);
            return true;
        }
        // Any exception of the host's page, also that of its own time-out. The client still gets an answer.
        catch (Exception exception) when (!context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted)
        {
            WebLog.ErrorPageFailed(_logger, exception);
            SetHeaders(context, answer);
            return false;
        }
    }

    private static Task ChallengeAsync(HttpContext context)
    {
        Reset(context.Response);
        return context.ChallengeAsync();
    }

    private static async Task<bool> CanChallengeAsync(HttpContext context) =>
        context.RequestServices.GetService<IAuthenticationSchemeProvider>() is { } schemes
        && await schemes.GetDefaultChallengeSchemeAsync().ConfigureAwait(false) is not null;
}
