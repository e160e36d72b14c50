<?php

// app/Http/Controllers/ChatTokenController.php
//
// config/services.php:  'chatsdk' => ['url' => env('CHATSDK_API_URL'), 'key' => env('CHATSDK_API_KEY')],
//                       (env() anywhere else is null once the configuration is cached)
// routes/api.php:       Route::post('/auth/chat-token', [ChatTokenController::class, 'generate'])->middleware('auth:sanctum');

namespace App\Http\Controllers;

use Illuminate\Http\Client\ConnectionException;
use Illuminate\Http\Client\Response;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Http;
use Illuminate\Support\Facades\Log;

class ChatTokenController extends Controller
{
    private const TIME_LIMIT_SECONDS = 5;

    // What the caller can do something about. All else is between this server and the chat deployment.
    private const PASSED_ON = [400, 403, 409, 429];

    /** Chat tokens for whoever is signed in. */
    public function generate(Request $request): JsonResponse
    {
        $user = $request->user(); // of the sign-in that your app has already

        try {
            $answer = Http::withHeaders(['X-API-Key' => config('services.chatsdk.key')])
                ->timeout(self::TIME_LIMIT_SECONDS)
                ->withoutRedirecting()
                // A field without a value is left out: null is not a name.
                ->post(config('services.chatsdk.url').'/v1/tokens', array_filter([
                    'userId' => (string) $user->id, // an id is text
                    'name' => $user->name,
                    'image' => $user->avatar_url,
                    'custom' => ['department' => $user->department],
                ], fn ($value) => $value !== null));
        } catch (ConnectionException $error) {
            Log::error('chat: /v1/tokens was not answered');

            return $this->unavailable();
        }

        return $answer->successful()
            ? response()->json($answer->json())->header('Cache-Control', 'no-store')
            : $this->refuse($answer);
    }

    private function refuse(Response $answer): JsonResponse
    {
        $status = $answer->status();
        $retryAfter = $answer->header('Retry-After');
        if (in_array($status, self::PASSED_ON, true)) {
            $body = ['error' => $answer->json('code'), 'message' => $answer->json('detail')];

            return response()->json($body, $status, $retryAfter === '' ? [] : ['Retry-After' => $retryAfter]);
        }
        Log::error("chat: /v1/tokens answered {$status} {$answer->json('code')}, request {$answer->json('requestId')}");
        if ($status >= 500) {
            return $this->unavailable($retryAfter === '' ? '5' : $retryAfter);
        }

        // A refused key, for one. As a 401 it would send your user to sign in again, for nothing.
        return response()->json(['error' => 'chat_refused'], 502);
    }

    private function unavailable(string $retryAfter = '5'): JsonResponse
    {
        return response()->json(['error' => 'chat_unavailable'], 503, ['Retry-After' => $retryAfter]);
    }
}
