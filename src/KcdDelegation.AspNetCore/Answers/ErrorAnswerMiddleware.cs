using System.Net;
using KcdDelegation.AspNetCore.Requests;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore.Answers;

/// <summary>Turns a <see cref="KcdException"/> and a backend's refusal into answers.</summary>
internal sealed class ErrorAnswerMiddleware(RequestDelegate next, AnswerWriter answers)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var request = DelegatedRequest.Current;
        if (request is not null && context.Response.Headers.Count > 0)
            request.OuterHeaders = [.. context.Response.Headers];
        try
        {
            await next(context).ConfigureAwait(false);
        }
        catch (Exception exception) when (AnswerWriter.FindError(exception) is { } error)
        {
            await answers.WriteErrorAsync(context, error).ConfigureAwait(false);
            return;
        }
        catch (HttpRequestException exception) when (IsRefusal(exception.StatusCode, request?.Refusal))
        {
            await answers.WriteRefusalAsync(context, request!.Refusal!.Error).ConfigureAwait(false);
            return;
        }
        // An endpoint that passed on the backend's 401. Without a refusal, a 401 is the caller's own.
        if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status401Unauthorized } && request?.Refusal is { } refusal)
            await answers.WriteRefusalAsync(context, refusal.Error).ConfigureAwait(false);
    }

    private static bool IsRefusal(HttpStatusCode? status, BackendRefusal? refusal) => refusal is not null && refusal.Status == status;
}
