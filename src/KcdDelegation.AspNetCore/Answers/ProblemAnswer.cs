using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore.Answers;

/// <summary>The answer for programs: problem details (RFC 9457).</summary>
internal static class ProblemAnswer
{
    public static async Task WriteAsync(HttpContext context, KcdErrorAnswer answer)
    {
        using var body = new MemoryStream();
        var json = new Utf8JsonWriter(body);
        await using (json.ConfigureAwait(false))
        {
            json.WriteStartObject();
            json.WriteString("type", answer.Type);
            json.WriteString("title", answer.Title);
            json.WriteNumber("status", answer.StatusCode);
            json.WriteString("detail", $"{answer.Explanation} {answer.Advice}");
            json.WriteString("activityId", answer.ActivityId);
            json.WriteString("time", answer.Time.UtcDateTime);
            json.WriteEndObject();
        }
        context.Response.ContentType = "application/problem+json";
        context.Response.ContentLength = body.Length;
        body.Position = 0;
        if (!HttpMethods.IsHead(context.Request.Method))
            await body.CopyToAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
    }
}
